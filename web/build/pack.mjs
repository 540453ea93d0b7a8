// Packs the files of a build for the hub: pack.mjs DIST OUT. The same files give the same pack, byte for byte. The form
// is described in src/api/console/assets.hpp.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** A form that saves less than this much is not worth having. */
const kSavedBytesMin = 32;

const brotli = (bytes) => brotliCompressSync(bytes, { params: {
  [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22,
  [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
const orNothing = (packed, bytes) => (packed.length + kSavedBytesMin < bytes.length ? packed : Buffer.alloc(0));

function filesIn(directory, prefix = '') {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory()
    ? filesIn(join(directory, entry.name), `${prefix}${entry.name}/`)
    : [prefix + entry.name]));
}

/** The pack of these files, and what is in it. */
export function pack(directory) {
  const files = filesIn(directory).sort().map((path) => {
    const bytes = readFileSync(join(directory, path));
    return { path, bytes, gzip: orNothing(gzipSync(bytes, { level: 9 }), bytes), brotli: orNothing(brotli(bytes), bytes),
      hash: createHash('sha256').update(bytes).digest('hex').slice(0, 32) };
  });
  const lines = files.map(({ path, hash, bytes, gzip, brotli: br }) =>
    `${path}\t${hash}\t${bytes.length}\t${gzip.length}\t${br.length}\n`);
  const head = Buffer.from(`syncline-pack 1\n${lines.join('')}\n`);
  return { files, bytes: Buffer.concat([head, ...files.flatMap((file) => [file.bytes, file.gzip, file.brotli])]) };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [, , dist, out] = process.argv;
  const packed = pack(dist);
  // The pack appears at once, or a build that was interrupted would link half of one.
  writeFileSync(`${out}.new`, packed.bytes);
  renameSync(`${out}.new`, out);
  const size = (form) => packed.files.reduce((sum, file) => sum + (file[form].length || file.bytes.length), 0);
  console.log(`console.pack: ${packed.files.length} files, ${size('bytes')} bytes, gzip ${size('gzip')}, brotli ${
    size('brotli')}, sha256 ${createHash('sha256').update(packed.bytes).digest('hex').slice(0, 16)}`);
}
