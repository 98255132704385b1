/** Where the sandbox puts it. */
export const COMPRESS_FILE = 'compress.cjs';

/** Compresses tarballs anew by the Node that runs it, whatever its age: `node compress.cjs <level> <system> <tarball>…`. RFC 1952 2.3.1: byte 9 is the operating system. */
export const COMPRESS_SCRIPT = `'use strict';
const fs = require('fs');
const zlib = require('zlib');
const [level, system, ...tarballs] = process.argv.slice(2);
for (const tarball of tarballs) {
  const bytes = zlib.gzipSync(zlib.gunzipSync(fs.readFileSync(tarball)), { level: Number(level) });
  bytes[9] = Number(system);
  fs.writeFileSync(tarball, bytes);
}
`;
