import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { debPurl, readPackagesIndex } from './index.ts';

const digest = 'ab'.repeat(32);
const stanza = (fields: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    Package: 'tool',
    Version: '1:1.0-2+b1',
    Architecture: 'amd64',
    Description: 'a tool\n Filename: pool/other.deb',
    Filename: 'pool/main/t/tool/tool_1.0-2%2bb1_amd64.deb',
    Size: '12',
    SHA256: digest,
    ...fields,
  })
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
const read = (...stanzas: readonly string[]) => readPackagesIndex(gzipSync(stanzas.join('\n')), new Set(['tool']));

describe('an index of packages', () => {
  it('gives the entries that are asked for', () => {
    const [tool] = read(stanza({ Package: 'other' }), stanza(), stanza({ Package: 'tool-extra' }));

    expect(tool).toEqual({
      name: 'tool',
      version: '1:1.0-2+b1',
      architecture: 'amd64',
      path: 'pool/main/t/tool/tool_1.0-2%2bb1_amd64.deb',
      sizeBytes: 12,
      sha256: digest,
    });
    expect(tool && debPurl(tool, 'Example')).toBe('pkg:deb/example/tool@1:1.0-2+b1?file_name=tool_1.0-2%252bb1_amd64.deb');
  });

  it('gives every version of one', () => {
    expect(read(stanza(), stanza({ Version: '2' })).map(({ version }) => version)).toEqual(['1:1.0-2+b1', '2']);
  });

  it.each([
    ['a path that leads out', { Filename: 'pool/../../etc/passwd' }],
    ['an absolute path', { Filename: '/etc/passwd' }],
    ['no digest', { SHA256: '' }],
    ['a size that is none', { Size: '-1' }],
    ['a version with blanks', { Version: '1 2' }],
  ])('is refused with %s', (_, fields) => {
    expect(() => read(stanza(fields))).toThrow(/Packages index/);
  });

  it('is refused when it is no gzip, or ends early', () => {
    expect(() => readPackagesIndex(new Uint8Array([1, 2, 3]), new Set())).toThrow(/cannot be unpacked/);
    expect(() => readPackagesIndex(gzipSync(stanza()).subarray(0, 40), new Set())).toThrow(/cannot be unpacked/);
  });
});
