import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../model/index.ts';
import { zipNormalizers } from '../normalize/index.ts';
import { type ZipPart, zipBytes } from '../test/index.ts';
import { type ArtifactRules, type Comparison, compareArtifacts } from './index.ts';

const rules: ArtifactRules = { format: 'zip', normalizers: zipNormalizers, causeOf: () => undefined };

const parts: readonly ZipPart[] = [
  { name: 'pkg/__init__.py', data: 'x = 1\n' },
  { name: 'pkg/run.sh', data: '#!/bin/sh\nexec true\n', mode: 0o100755 },
];

function compare(upstream: Buffer, rebuild: Buffer): Promise<Comparison> {
  return compareArtifacts({ upstream, rebuild, rules });
}

async function compareParts(rebuild: readonly ZipPart[]): Promise<Comparison> {
  return compare(zipBytes(parts), zipBytes(rebuild));
}

function names(comparison: Comparison): readonly string[] {
  return comparison.needed.map(({ name }) => name);
}

describe('the ladder', () => {
  it('calls the same bytes identical', async () => {
    const comparison = await compareParts(parts);

    expect(comparison.rung).toBe('identical');
    expect(comparison.needed).toEqual([]);
  });

  it('calls another compression level or method identical-content', async () => {
    const level = await compareParts(parts.map((part) => ({ ...part, data: `${part.data}`, level: 0 })));
    const method = await compareParts(parts.map((part) => ({ ...part, method: 0 })));

    expect([level.rung, method.rung]).toEqual(['identical-content', 'identical-content']);
  });

  it('calls another time, order or umask identical-files and names the rules that tell them apart', async () => {
    const time = await compareParts(parts.map((part) => ({ ...part, dosTime: 0x5821_0000 })));
    const order = await compareParts(parts.toReversed());
    const umask = await compareParts(parts.map((part) => ({ ...part, mode: (part.mode ?? 0o100644) | 0o20 })));

    expect([time.rung, order.rung, umask.rung]).toEqual(['identical-files', 'identical-files', 'identical-files']);
    expect([names(time), names(order), names(umask)]).toEqual([['zip.time'], ['zip.order'], ['zip.attrs-reduce']]);
  });

  it('tells of archive metadata that no rule speaks of, without lowering the rung', async () => {
    const unknown = Buffer.from('feca0000', 'hex');

    const { rung, needed, findings } = await compare(
      zipBytes(parts),
      zipBytes(
        parts.map((part) => ({ ...part, extra: unknown })),
        { comment: 'built by hand' },
      ),
    );

    expect([rung, needed]).toEqual(['identical-files', []]);
    expect(findings.map(({ path, detail }) => [path, detail.split(',')[0]])).toEqual([
      ['pkg/__init__.py', 'the two differ in extra'],
      ['pkg/__init__.py', 'the two differ in localExtra'],
      ['pkg/run.sh', 'the two differ in extra'],
      ['pkg/run.sh', 'the two differ in localExtra'],
      [undefined, 'the two differ in comment'],
    ]);
  });

  it('does not call a lost executable bit the same', async () => {
    const comparison = await compareParts(parts.map((part) => ({ ...part, mode: 0o100644 })));

    expect(comparison.rung).toBe('none');
    expect(comparison.residue).toEqual([{ path: 'pkg/run.sh', kind: 'mode', cause: 'archive-metadata', detail: 'executable upstream only' }]);
  });

  it('explains a changed, a missing and an added file', async () => {
    const comparison = await compareParts([
      { name: 'pkg/__init__.py', data: 'x = 2\n' },
      { name: 'pkg/new.py', data: '' },
    ]);

    expect(comparison.residue.map(({ path, kind, cause }) => [path, kind, cause])).toEqual([
      ['pkg/__init__.py', 'content', 'content-unexplained'],
      ['pkg/new.py', 'only-rebuild', 'missing-upstream-files'],
      ['pkg/run.sh', 'only-upstream', 'extra-upstream-files'],
    ]);
    expect(comparison.residue[0]?.diff).toContain('-x = 1\n+x = 2\n');
  });

  it('gives the same canonical bytes for the same input', async () => {
    const rebuild: readonly ZipPart[] = [{ name: 'pkg/__init__.py', data: 'x = 2\n' }];

    const [first, second] = [await compareParts(rebuild), await compareParts(rebuild)];

    expect(canonicalJson(JSON.parse(JSON.stringify(first)))).toBe(canonicalJson(JSON.parse(JSON.stringify(second))));
  });

  it('refuses set-id files, devices and paths that stand twice, even where both sides agree', async () => {
    const hostile: readonly (readonly ZipPart[])[] = [[{ name: 'su', mode: 0o104755 }], [{ name: 'dev', mode: 0o020666 }], [{ name: 'a' }, { name: 'a' }]];

    for (const made of hostile) {
      const other = made.map((part) => ({ ...part, dosTime: 0x5821_0000 }));
      const { rung, residue } = await compare(zipBytes(made), zipBytes(other));
      expect([rung, residue.length > 0]).toEqual(['none', true]);
    }
  });

  it('says which side cannot be read', async () => {
    const broken = zipBytes([{ name: 'a', data: 'x', crc32: 1 }]);

    await expect(compare(zipBytes(parts), broken)).rejects.toMatchObject({ code: 'rebuild-unreadable', cause: { code: 'crc-mismatch' } });
    await expect(compare(broken, zipBytes(parts))).rejects.toMatchObject({ code: 'upstream-unreadable' });
  });

  it('calls identical what is, though it cannot be read, and says so', async () => {
    const { rung, findings } = await compare(Buffer.from('no zip'), Buffer.from('no zip'));

    expect([rung, findings.map(({ code }) => code)]).toEqual(['identical', ['unreadable-archive']]);
  });
});
