// Makes docs/<entry>.md: every export of an entry with its comment and its declaration, from the types of dist/. With
// --check, fails if a page is not what it would make.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const root = new URL('.', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const entries = Object.entries(manifest.exports).map(([path, conditions]) => ({
  name: manifest.name + path.slice(1),
  page: path === '.' ? 'client' : path.slice(2),
  types: root + (conditions.types ?? conditions.import.types).slice(2),
}));
const program = ts.createProgram(entries.map(({ types }) => types),
  { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [], strict: true });
const checker = program.getTypeChecker();

const kGroups = [
  ['Functions', (node) => ts.isFunctionDeclaration(node)],
  ['Classes', (node) => ts.isClassDeclaration(node)],
  ['Types', () => true],
];

/** The text of a declaration as programs see it. */
function declarationOf(node) {
  const text = node.getText();
  if (!ts.isClassDeclaration(node)) return text.replace(/^export (declare )?/, '');
  const isHidden = (member) => (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0;
  const members = node.members.filter((member) => !isHidden(member) && !isMadeByTheLibrary(member));
  const head = text.slice(0, text.indexOf('{') + 1).replace(/^export (declare )?/, '');
  return [head, ...members.map((member) => `    ${member.getFullText().trim()}`), '}'].join('\n');
}
/** A constructor that takes parts of the library is no way for a program to make one. */
const isMadeByTheLibrary = (member) => ts.isConstructorDeclaration(member) &&
  member.parameters.some((parameter) => (ts.getCombinedModifierFlags(parameter) & ts.ModifierFlags.Private) !== 0 ||
    parameter.type === undefined);

function pageOf({ name, types }) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(types));
  const exported = checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return { name: symbol.name, target, node: target.declarations[0] };
  });
  const parts = [`# ${name}`, 'Made from the source by `docs.mjs`: do not edit.'];
  for (const [title, isOne] of kGroups) {
    const group = exported.filter(({ node, isDone }) => !isDone && isOne(node));
    group.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (group.length > 0) parts.push(`## ${title}`);
    for (const one of group) {
      one.isDone = true;
      parts.push(`### ${one.name}`);
      const comment = ts.displayPartsToString(one.target.getDocumentationComment(checker)).trim();
      if (comment !== '') parts.push(comment);
      parts.push('```ts\n' + declarationOf(one.node) + '\n```');
    }
  }
  return `${parts.join('\n\n')}\n`;
}

const isCheck = process.argv.includes('--check');
mkdirSync(`${root}docs`, { recursive: true });
for (const entry of entries) {
  const file = `${root}docs/${entry.page}.md`;
  const page = pageOf(entry);
  if (!isCheck) {
    writeFileSync(file, page);
    continue;
  }
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // Reported below.
  }
  if (present !== page) {
    console.error(`docs/${entry.page}.md is not what the source says: run node docs.mjs`);
    process.exitCode = 1;
  }
}
