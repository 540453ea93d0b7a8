// The module `virtual:icons`: the paths of the icons that the console uses, from lucide-static, as data. No component
// library and no markup from strings is needed to draw them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Our name for what an icon means, and Lucide's name for what it shows. */
export const kIcons = {
  account: 'circle-user-round', alert: 'triangle-alert', check: 'check', close: 'x', connect: 'cable', copy: 'copy',
  current: 'circle-check', conflict: 'git-compare-arrows', down: 'chevron-down', error: 'circle-alert', eye: 'eye',
  hide: 'eye-off', info: 'info', key: 'key-round', keyboard: 'keyboard', leave: 'log-out', menu: 'menu',
  moon: 'moon', offline: 'circle-slash', passkey: 'fingerprint', paused: 'circle-pause', plus: 'plus',
  rejected: 'circle-x', sending: 'refresh-cw', sun: 'sun', system: 'monitor', trash: 'trash-2', undo: 'undo-2',
  waiting: 'ellipsis',
};

const kModule = 'virtual:icons';

export function icons() {
  const folder = join(dirname(createRequire(import.meta.url).resolve('lucide-static/package.json')), 'icons');
  return {
    name: 'syncline-icons',
    resolveId: (id) => (id === kModule ? `\0${kModule}` : undefined),
    load(id) {
      if (id !== `\0${kModule}`) return undefined;
      const shapes = Object.entries(kIcons).map(([name, file]) => [name, shapesOf(join(folder, `${file}.svg`))]);
      return `export const shapes = ${JSON.stringify(Object.fromEntries(shapes))};`;
    },
  };
}

/** [["path", {"d": "M20 6 9 17l-5-5"}]] */
function shapesOf(file) {
  const svg = readFileSync(file, 'utf8').replace(/<!--.*?-->/gs, '');
  const shapes = [...svg.matchAll(/<(path|circle|rect|line|polyline|polygon|ellipse)\s([^>]*?)\/>/g)].map(
    ([, tag, attributes]) => [tag, Object.fromEntries(
      [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))]);
  if (shapes.length === 0) throw new Error(`${file} has no shapes`);
  return shapes;
}
