import { describe, expect, it } from 'vitest';
import { DEFAULT_ARCHIVE_LIMITS } from '../archive/index.ts';
import { sha256 } from '../model/index.ts';
import { paxPart, type TarPart, tarBytes, zipBytes } from '../test/index.ts';
import { type Comparison, compareWithSource, explainComparison, mainCause, type SourceFile, type SourceRules } from './index.ts';

const INDEX: TarPart = { name: 'package/index.js', data: 'one\n' };
const RUN: TarPart = { name: 'package/bin/run', data: '#!/bin/sh\n', mode: 0o755 };
const LINK: TarPart = { name: 'package/latest', typeflag: '2', linkName: 'index.js' };
const PACKAGE: readonly TarPart[] = [INDEX, RUN, LINK];
/** The package stands in a folder of the source, beside what isn't published. */
const SOURCE: readonly TarPart[] = [
  { name: 'lamp/', typeflag: '5', mode: 0o755 },
  { name: 'lamp/bin/', typeflag: '5', mode: 0o755 },
  { name: 'lamp/bin/run', data: '#!/bin/sh\n', mode: 0o755 },
  { name: 'lamp/index.js', data: 'one\n' },
  { name: 'lamp/latest', typeflag: '2', linkName: 'index.js' },
  { name: 'lamp/index.test.js', data: 'test\n' },
  { name: 'LICENSE', data: 'licence\n' },
];
const RULES: SourceRules = {
  format: 'tar',
  placesOf: (path) => (path === 'package/written.json' ? [] : [path.replace(/^package\//, 'lamp/'), path.replace(/^package\//, '')]),
  causeOf: () => undefined,
};

function compare(upstream: readonly TarPart[], source: readonly TarPart[] = SOURCE, rules: Partial<SourceRules> = {}): Promise<Comparison> {
  return compareWithSource({ upstream: tarBytes(upstream), source: tarBytes(source), rules: { ...RULES, ...rules } });
}

/** Path, kind and cause of each difference. */
function residueOf({ residue }: Comparison): readonly string[] {
  return residue.map(({ path, kind, cause }) => `${path} ${kind} ${cause}`);
}

describe('an archive whose files are some of its source', () => {
  it('is a subset of it, with its executable bits and links', async () => {
    const comparison = await compare(PACKAGE);

    expect(comparison).toMatchObject({ rung: 'source-subset', needed: [], residue: [], residueOmitted: 0, findings: [] });
    expect(comparison).toMatchObject({ upstream: sha256(tarBytes(PACKAGE)), rebuild: sha256(tarBytes(SOURCE)) });
    expect(explainComparison(comparison)).toBe('source-subset: every file of the archive stands in its source, byte by byte; nothing was built\n');
  });

  it('may have entries for folders, which no source keeps', async () => {
    expect((await compare([{ name: 'package/', typeflag: '5' }, { name: 'package/empty/', typeflag: '5', mode: 0o700 }, ...PACKAGE])).rung).toBe(
      'source-subset',
    );
  });

  it('may have a file that stands at the second of its places, where the first has other bytes', async () => {
    expect((await compare([...PACKAGE, { name: 'package/LICENSE', data: 'licence\n' }])).rung).toBe('source-subset');
    expect((await compare([...PACKAGE, { name: 'package/LICENSE', data: 'licence\n' }], [...SOURCE, { name: 'lamp/LICENSE', data: 'other\n' }])).rung).toBe(
      'source-subset',
    );
  });

  it('may have a link of the second place', async () => {
    const to = (name: string, linkName: string): TarPart => ({ name, typeflag: '2', linkName });

    expect((await compare([to('package/current', 'b')], [to('lamp/current', 'a'), to('current', 'b')])).rung).toBe('source-subset');
  });

  it('states no modes as a zip without them, and none are asked for', async () => {
    const source = tarBytes([{ name: 'run.sh', data: 'run\n', mode: 0o755 }]);
    const rules: SourceRules = { ...RULES, format: 'zip' };
    const withMode = (mode: number) => zipBytes([{ name: 'run.sh', data: 'run\n', mode }]);

    expect((await compareWithSource({ upstream: withMode(0), source, rules })).rung).toBe('source-subset');
    expect((await compareWithSource({ upstream: withMode(0o100755), source, rules })).rung).toBe('source-subset');
    expect(residueOf(await compareWithSource({ upstream: withMode(0o100644), source, rules }))).toEqual(['run.sh mode archive-metadata']);
  });

  it('states modes as a tar, also that there are none', async () => {
    expect(residueOf(await compare([{ ...RUN, mode: 0 }]))).toEqual(['package/bin/run mode archive-metadata']);
  });
});

describe('an archive that has what its source has not', () => {
  it.each([
    ['a planted file', [...PACKAGE, { name: 'package/planted.js', data: 'evil\n' }], 'package/planted.js only-upstream extra-upstream-files'],
    ['a changed byte', [{ ...INDEX, data: 'onf\n' }], 'package/index.js content content-unexplained'],
    ['a moved file', [{ ...INDEX, name: 'package/lib/index.js' }], 'package/lib/index.js only-upstream extra-upstream-files'],
    ['an executable bit', [{ ...INDEX, mode: 0o755 }], 'package/index.js mode archive-metadata'],
    ['a link to something else', [{ ...LINK, linkName: 'index.test.js' }], 'package/latest link content-unexplained'],
    ['a link in place of a file', [{ name: 'package/index.js', typeflag: '2', linkName: 'latest' }], 'package/index.js type content-unexplained'],
    [
      'a hard link in place of a file',
      [RUN, { name: 'package/index.js', typeflag: '1', linkName: 'package/bin/run' }],
      'package/index.js type content-unexplained',
    ],
    ['two entries of one path', [INDEX, INDEX], 'package/index.js metadata content-unexplained'],
    ['a file that takes on rights', [{ ...RUN, mode: 0o4755 }], 'package/bin/run mode content-unexplained'],
    ['a device', [{ name: 'package/index.js', typeflag: '3' }], 'package/index.js type content-unexplained'],
    ['other line ends', [{ ...INDEX, data: 'one\r\n' }], 'package/index.js content line-endings'],
  ] satisfies readonly (readonly [string, readonly TarPart[], string])[])('is none with %s', async (_, upstream, left) => {
    const comparison = await compare(upstream);

    expect(comparison.rung).toBe('none');
    expect(comparison.normalizedSha256).toBeUndefined();
    expect(new Set(residueOf(comparison))).toContain(left);
    expect(explainComparison(comparison)).toContain(left.split(' ')[0]);
  });

  it('says where a moved file stood before, and shows what changed', async () => {
    const elsewhere = await compare([{ ...INDEX, name: 'package/other.js' }], [{ name: 'other.js', data: 'two\n' }]);

    expect(elsewhere.residue).toEqual([
      {
        path: 'package/other.js',
        kind: 'content',
        cause: 'content-unexplained',
        detail: '4 bytes upstream, 4 in the rebuild',
        diff: expect.stringContaining('-one\n+two'),
      },
    ]);
  });

  it('has what every packer writes anew for a cause of its own, and is none all the same', async () => {
    const written: TarPart = { name: 'package/written.json', data: '{}' };

    const comparison = await compare([...PACKAGE, written]);
    const twice = await compare([...PACKAGE, written, written]);

    expect([comparison.rung, residueOf(comparison)]).toEqual(['none', ['package/written.json only-upstream build-metadata']]);
    expect(mainCause(comparison)).toBe('build-metadata');
    expect(mainCause(twice)).toBe('content-unexplained');
  });
});

describe('an archive that is a function of its source', () => {
  const all = new Map([
    ['package/index.js', 'lamp/index.js'],
    ['package/bin/run', 'lamp/bin/run'],
    ['package/latest', 'lamp/latest'],
  ]);

  it('has identical files where it has each of them and no other', async () => {
    const seen: SourceFile[] = [];
    const comparison = await compare(PACKAGE, SOURCE, {
      filesOf(source) {
        seen.push(...source);
        return all;
      },
    });

    expect(comparison).toMatchObject({ rung: 'identical-files', residue: [] });
    expect(explainComparison(comparison)).toMatch(/^identical-files: the same paths, types, executable bits, links and bytes/);
    expect(seen.map(({ path, type, sizeBytes }) => `${path} ${type} ${sizeBytes}`)).toEqual([
      'lamp/bin/run file 10',
      'lamp/index.js file 4',
      'lamp/latest link 0',
      'lamp/index.test.js file 5',
      'LICENSE file 8',
    ]);
    expect(seen.map((file) => Buffer.from(file.read()).toString())).toEqual(['#!/bin/sh\n', 'one\n', '', 'test\n', 'licence\n']);
  });

  it('has the digest that the same files have in any order', async () => {
    const filesOf = () => all;

    const [one, other] = [await compare(PACKAGE, SOURCE, { filesOf }), await compare(PACKAGE.toReversed(), SOURCE.toReversed(), { filesOf })];

    expect(one.normalizedSha256).toBe(other.normalizedSha256);
    expect(one.normalizedSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is none where it lacks one, and where it has one more, of whatever name', async () => {
    const lacking = await compare([INDEX, LINK], SOURCE, { filesOf: () => all });
    const more = await compare([...PACKAGE, { name: 'package/written.json', data: '{}' }], SOURCE, { filesOf: () => all });

    expect([lacking.rung, residueOf(lacking)]).toEqual(['none', ['package/bin/run only-rebuild missing-upstream-files']]);
    expect([more.rung, residueOf(more)]).toEqual(['none', ['package/written.json only-upstream extra-upstream-files']]);
  });

  it('is none where a file stands at another place of the source than the one it comes from', async () => {
    const filesOf = () => new Map([...all, ['package/index.js', 'lamp/index.test.js']]);

    expect(residueOf(await compare(PACKAGE, SOURCE, { filesOf }))).toEqual(['package/index.js content content-unexplained']);
  });

  it('is looked for file by file where the source could not have been published', async () => {
    expect((await compare(PACKAGE, SOURCE, { filesOf: () => undefined })).rung).toBe('source-subset');
  });
});

describe('a side that cannot be read', () => {
  it('is refused, and named', async () => {
    const source = tarBytes(SOURCE);
    const cut = tarBytes(PACKAGE).subarray(0, 514);

    await expect(compareWithSource({ upstream: cut, source, rules: RULES })).rejects.toMatchObject({ name: 'CompareError', code: 'upstream-unreadable' });
    await expect(compareWithSource({ upstream: source, source: cut, rules: RULES })).rejects.toThrow(/^compare: the tar of the source cannot be read: /);
    await expect(compare([{ name: '../package/index.js', data: 'one\n' }])).rejects.toMatchObject({ code: 'upstream-unreadable' });
  });

  it('may cost no more than the limits say, on either side', async () => {
    const request = { upstream: tarBytes([INDEX]), source: tarBytes(SOURCE), rules: RULES };

    await expect(compareWithSource({ ...request, limits: { ...DEFAULT_ARCHIVE_LIMITS, maxEntries: 6 } })).rejects.toMatchObject({ code: 'rebuild-unreadable' });
    await expect(compareWithSource({ ...request, limits: { ...DEFAULT_ARCHIVE_LIMITS, maxEntryBytes: 3 } })).rejects.toMatchObject({
      code: 'upstream-unreadable',
    });
  });

  it('is not a source with names that no archive may have: these files are no part of any package', async () => {
    const names = ['back\\slash', 'C:drive', 'up/../there', 'bell\u0007', '/root', `${'deep/'.repeat(70)}file`];
    const strange = names.flatMap((path): readonly TarPart[] => [paxPart({ path }), { name: 'strange', data: 'x' }]);
    const notUtf8 = tarBytes([{ name: 'no-utf-é', data: 'y' }], Buffer.alloc(0));
    notUtf8[notUtf8.indexOf(0xc3)] = 0xff;
    notUtf8.write(
      `${notUtf8
        .subarray(0, 512)
        .reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
    const source = Buffer.concat([notUtf8, tarBytes([...strange, ...SOURCE])]);

    expect((await compareWithSource({ upstream: tarBytes(PACKAGE), source, rules: RULES })).rung).toBe('source-subset');
    await expect(
      compareWithSource({ upstream: tarBytes([INDEX]), source, rules: RULES, limits: { ...DEFAULT_ARCHIVE_LIMITS, maxEntries: names.length } }),
    ).rejects.toMatchObject({ code: 'rebuild-unreadable' });
  });
});
