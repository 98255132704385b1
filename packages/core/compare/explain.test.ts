import { describe, expect, it } from 'vitest';
import { zipNormalizers } from '../normalize/index.ts';
import { type ZipPart, zipBytes } from '../test/index.ts';
import { type ArtifactRules, type Comparison, compareArtifacts, decodeComparison, encodeComparison, explainComparison, mainCause } from './index.ts';

const rules: ArtifactRules = { format: 'zip', normalizers: zipNormalizers, causeOf: ({ path }) => (path === 'version.py' ? 'generated-file' : undefined) };

function compare(upstream: readonly ZipPart[], rebuild: readonly ZipPart[]): Promise<Comparison> {
  return compareArtifacts({ upstream: zipBytes(upstream), rebuild: zipBytes(rebuild), rules });
}

describe('an explanation', () => {
  it('says in words what differs, why, and shows the lines', async () => {
    const upstream = [
      { name: 'licence', data: 'text' },
      { name: 'version.py', data: 'v = 1\n' },
    ];
    const rebuild = [
      { name: 'licences/licence', data: 'text' },
      { name: 'version.py', data: 'v = 2\n' },
    ];

    const text = explainComparison(await compare(upstream, rebuild));

    expect(text).toBe(`different: 3 differences left after normalization

What differs:
  only-upstream licence [extra-upstream-files]: 4 bytes; the same bytes stand at licences/licence on the other side
  only-rebuild  licences/licence [missing-upstream-files]: 4 bytes; the same bytes stand at licence on the other side
  content       version.py [generated-file]: 6 bytes upstream, 6 in the rebuild

--- version.py
--- upstream
+++ rebuild
@@ -1,1 +1,1 @@
-v = 1
+v = 2
`);
  });

  it('names the rules that were needed, with their reasons', async () => {
    const text = explainComparison(await compare([{ name: 'a', dosTime: 0x5821_0000 }], [{ name: 'a' }]));

    expect(text).toContain('identical-files: the same paths, types, executable bits, links and bytes; archive metadata differ');
    expect(text).toContain('  zip.time 1: a time stamp says when an archive was packed, not what is in it');
  });

  it('prints no control character of a hostile file', async () => {
    const text = explainComparison(await compare([{ name: 'a', data: '\u001b[2J\u202egood\r\n' }], [{ name: 'a', data: 'good\n' }]));

    expect(text).toContain('-\\u001b[2J\\u202egood\\r');
    expect(/(?!\n)[\p{Cc}\u202e]/u.test(text)).toBe(false);
  });

  it('shows no diff of binary files, and a short one of long texts', async () => {
    const lines = Array.from({ length: 3000 }, (_, line) => `line ${line}\n`).join('');
    const upstream = [
      { name: 'binary', data: 'a\u0000b' },
      { name: 'long', data: lines },
      { name: 'wide', data: 'x'.repeat(5000) },
    ];
    const rebuild = [
      { name: 'binary', data: 'a\u0000c' },
      { name: 'long', data: lines.replaceAll('line', 'row') },
      { name: 'wide', data: 'y'.repeat(5000) },
    ];

    const { residue } = await compare(upstream, rebuild);

    expect(residue.map(({ detail, diff }) => [detail, diff?.includes('(no diff:'), (diff?.length ?? 0) < 13_000])).toEqual([
      ['binary, 3 bytes upstream, 3 in the rebuild, first different byte at 2', undefined, true],
      [expect.any(String), true, true],
      [expect.any(String), false, true],
    ]);
  });
});

describe('a comparison as a blob', () => {
  it('is the same bytes for the same input and reads back', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => compare([{ name: 'a', data: '1', mode: 0o104755 }], [{ name: 'b', data: '2' }])));
    if (first === undefined || second === undefined) throw new Error('two comparisons were asked for');

    const bytes = encodeComparison(first);

    expect(Buffer.from(encodeComparison(second)).equals(bytes)).toBe(true);
    expect(decodeComparison(bytes)).toEqual(first);
  });

  it('is refused when it is not one', () => {
    expect(decodeComparison(new TextEncoder().encode('{"rung":"identical"}'))).toBeUndefined();
    expect(decodeComparison(new TextEncoder().encode('nothing'))).toBeUndefined();
  });
});

describe('the main cause', () => {
  it('is the one that weighs most', async () => {
    const comparison = await compare([{ name: 'version.py', data: '1' }, { name: 'extra' }], [{ name: 'version.py', data: '2' }]);

    expect(mainCause(comparison)).toBe('extra-upstream-files');
  });

  it('is none when nothing is left', async () => {
    expect(mainCause(await compare([{ name: 'a' }], [{ name: 'a' }]))).toBeUndefined();
  });
});
