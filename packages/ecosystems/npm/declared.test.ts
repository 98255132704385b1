import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readDeclared } from './declared.ts';
import { artifactPurl } from './names.ts';

const BLOCK = 512;
const artifact = { purl: artifactPurl('a', '1.0.0', 'a-1.0.0.tgz'), fileName: 'a-1.0.0.tgz', digests: {}, path: 'a/-/a-1.0.0.tgz' };

/** One ustar member (POSIX 1003.1), gzipped. */
function tarball(path: string, text: string): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0ustar\0', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK);
  body.write(text);
  return gzipSync(Buffer.concat([header, body, Buffer.alloc(2 * BLOCK)]));
}

it.each([
  [{ license: 'MIT' }, 'MIT'],
  [{ license: '(MIT OR Apache-2.0)' }, '(MIT OR Apache-2.0)'],
  [{ license: { type: 'ISC', url: 'https://licence.example' } }, 'ISC'],
  [{ licenses: [{ type: 'MIT' }] }, 'MIT'],
  [{ license: 'Apache 2' }, 'Apache-2.0'],
  [{ license: 'SEE LICENSE IN x' }, undefined],
  [{ licenses: ['MIT', 'ISC'] }, undefined],
  [{ license: '' }, undefined],
  [{}, undefined],
])('%j is licensed under %s', async (manifest, licence) => {
  const declared = await readDeclared(artifact, tarball('package/package.json', JSON.stringify(manifest)));

  expect(declared).toEqual(licence === undefined ? {} : { licence });
});

it('reads the first folder, whatever its name is', async () => {
  expect(await readDeclared(artifact, tarball('node/package.json', '{"license":"MIT"}'))).toEqual({ licence: 'MIT' });
});

it.each([
  ['no archive', new TextEncoder().encode('hello')],
  ['no manifest', tarball('package/deep/package.json', '{"license":"MIT"}')],
  ['a manifest that is not JSON', tarball('package/package.json', '{')],
])('%s says nothing', async (_, bytes) => {
  expect(await readDeclared(artifact, bytes)).toEqual({});
});
