import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Comparison, compareArtifacts } from '@granary/core/compare';
import { type TarPart, tarBytes, type ZipPart, zipBytes } from '@granary/core/test';
import { describe, expect, it } from 'vitest';
import { pypiRules, sdistRules, wheelRules } from './normalize.ts';

const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n';
const WHEEL = 'Wheel-Version: 1.0\nGenerator: flit 3.9.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n';

/** Files of a wheel by path; `record` replaces the right RECORD. */
type Files = Readonly<Record<string, string>>;
const files: Files = { 'demo/__init__.py': 'x = 1\ny = 2\n', 'demo-1.0.dist-info/METADATA': METADATA, 'demo-1.0.dist-info/WHEEL': WHEEL };

function wheel(contents: Files, { record = recordOf(contents), part = {} }: { readonly record?: string; readonly part?: Partial<ZipPart> } = {}): Buffer {
  const parts = Object.entries({ ...contents, 'demo-1.0.dist-info/RECORD': record }).map(([name, data]) => ({ name, data, ...part }));
  return zipBytes(parts);
}

function recordOf(contents: Files): string {
  const rows = Object.entries(contents).map(
    ([path, text]) => `${path},sha256=${createHash('sha256').update(text).digest('base64url')},${Buffer.byteLength(text)}\n`,
  );
  return `${rows.join('')}demo-1.0.dist-info/RECORD,,\n`;
}

function compareWheels(upstream: Buffer, rebuild: Buffer): Promise<Comparison> {
  return compareArtifacts({ upstream, rebuild, rules: wheelRules });
}

const names = ({ needed }: Comparison): readonly string[] => needed.map(({ name }) => name);
const onWindows = (text: string): string => text.replaceAll('\n', '\r\n');

describe('two wheels', () => {
  it('that differ in time stamps and order only have identical files', async () => {
    const rebuild = wheel(Object.fromEntries(Object.entries(files).toReversed()), { record: recordOf(files), part: { dosTime: 0x5821_0000 } });

    const comparison = await compareWheels(wheel(files), rebuild);

    expect([comparison.rung, names(comparison)]).toEqual(['identical-files', ['zip.time', 'zip.order']]);
  });

  it('that list their files in another order are equivalent, RECORD being checked', async () => {
    const record = recordOf(files)
      .split('\n')
      .toReversed()
      .filter((line) => line !== '')
      .join('\r\n');

    const comparison = await compareWheels(wheel(files), wheel(files, { record }));

    expect([comparison.rung, names(comparison), comparison.findings]).toEqual(['equivalent', ['wheel.record-recompute'], []]);
  });

  it('of which one has METADATA with CR LF are equivalent, with a finding', async () => {
    const upstream = wheel({ ...files, 'demo-1.0.dist-info/METADATA': onWindows(METADATA) });

    const comparison = await compareWheels(upstream, wheel(files));

    expect([comparison.rung, names(comparison)]).toEqual(['equivalent', ['wheel.record-recompute', 'wheel.metadata-eol']]);
    expect(comparison.findings).toEqual([{ code: 'crlf', side: 'upstream', path: 'demo-1.0.dist-info/METADATA', detail: 'lines end with CR LF' }]);
    expect(comparison.normalizedSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of which one was made on Windows throughout are equivalent, and the rule for texts is named', async () => {
    const upstream = wheel(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, onWindows(text)])), { part: { createSystem: 0 } });

    const comparison = await compareWheels(upstream, wheel(files));

    expect([comparison.rung, names(comparison)]).toEqual([
      'equivalent',
      ['wheel.record-recompute', 'wheel.metadata-eol', 'wheel.text-eol', 'zip.attrs-reduce'],
    ]);
  });

  it('of which one has CR LF in its code alone differ, by line endings', async () => {
    const comparison = await compareWheels(wheel({ ...files, 'demo/__init__.py': onWindows('x = 1\ny = 2\n') }), wheel(files));

    expect(comparison.residue.map(({ path, cause }) => [path, cause])).toEqual([['demo/__init__.py', 'line-endings']]);
    expect(comparison.residue[0]?.diff).toContain('-x = 1\\r\n');
  });

  it('by two versions of a tool differ in one line, and only that is said', async () => {
    const comparison = await compareWheels(wheel(files), wheel({ ...files, 'demo-1.0.dist-info/WHEEL': WHEEL.replace('3.9.0', '3.10.0') }));

    expect(comparison.residue.map(({ path, cause }) => [path, cause])).toEqual([['demo-1.0.dist-info/WHEEL', 'toolchain-version']]);
  });

  it('with other metadata or another generated version file differ by those causes', async () => {
    const upstream = wheel({ ...files, 'demo/_version.py': "version = '1.0'\n" });
    const rebuild = wheel({ ...files, 'demo/_version.py': "version = '0.0'\n", 'demo-1.0.dist-info/METADATA': `${METADATA}Platform: UNKNOWN\n` });

    const comparison = await compareWheels(upstream, rebuild);

    expect(comparison.residue.map(({ cause }) => cause)).toEqual(['build-metadata', 'generated-file']);
  });

  it('never pass when one has a set-id file, even with equal bytes', async () => {
    const comparison = await compareWheels(wheel(files), wheel(files, { part: { mode: 0o104644 } }));

    expect(comparison.rung).toBe('none');
    expect(comparison.findings.every(({ code, side }) => code === 'setuid-entry' && side === 'rebuild')).toBe(true);
  });
});

describe('a RECORD', () => {
  const right = recordOf(files);
  it.each([
    ['a wrong digest', right.replace(/sha256=..../, 'sha256=AAAA'), 'wrong sha256'],
    ['a wrong size', right.replace(',12\n', ',13\n'), 'has 13 bytes, it has 12'],
    ['a weak digest', right.replace(/sha256=[^,]*/, 'md5=AAAA'), 'no digest of sha256'],
    ['no digest', right.replace(/sha256=[^,]*/, ''), 'no digest of sha256'],
    ['a file missing', right.split('\n').slice(1).join('\n'), 'does not list demo/__init__.py'],
    ['a file that is not there', `${right}demo/gone.py,sha256=AAAA,1\n`, 'lists demo/gone.py, which is not in the wheel'],
    ['a file twice', `${right}demo-1.0.dist-info/RECORD,,\n`, 'twice'],
    ['an open quote', `"${right}`, 'no CSV'],
  ])('with %s is never masked', async (_, record, problem) => {
    const upstream = wheel(files, { record });

    const comparison = await compareWheels(upstream, wheel(files));

    expect(comparison.rung).toBe('none');
    expect(comparison.residue.map(({ path, cause }) => [path, cause])).toEqual([['demo-1.0.dist-info/RECORD', 'integrity-metadata-wrong']]);
    expect(
      comparison.findings.filter(({ code }) => code === 'integrity-metadata-wrong').map(({ side, detail }) => [side, detail.includes(problem)]),
    ).toContainEqual(['upstream', true]);
  });

  it('wrong on both sides alike keeps them from being equivalent', async () => {
    const record = right.replace(/sha256=..../, 'sha256=AAAA');

    const comparison = await compareWheels(wheel({ ...files, 'demo-1.0.dist-info/METADATA': onWindows(METADATA) }, { record }), wheel(files, { record }));

    expect(comparison.rung).toBe('none');
  });

  it('wrong in identical wheels is still told', async () => {
    const bytes = wheel(files, { record: right.replace(/sha256=..../, 'sha256=AAAA') });

    const comparison = await compareWheels(bytes, bytes);

    expect([comparison.rung, comparison.findings.map(({ code, side }) => [code, side])]).toEqual(['identical', [['integrity-metadata-wrong', 'both']]]);
  });

  it('with quoted paths and a stronger digest is right', async () => {
    const contents = { ...files, 'demo/a,"b".py': '' };
    const record = `${recordOf(files)}"demo/a,""b"".py",sha512=${createHash('sha512').update('').digest('base64url')},0\n`;

    const bytes = wheel(contents, { record });

    expect((await compareWheels(bytes, bytes)).findings).toEqual([]);
  });
});

describe('two sdists', () => {
  const parts: readonly TarPart[] = [
    { name: 'demo-1.0/', typeflag: '5', mode: 0o755 },
    { name: 'demo-1.0/PKG-INFO', data: METADATA },
    { name: 'demo-1.0/demo.egg-info/SOURCES.txt', data: 'a.py\nb.py\n' },
    { name: 'demo-1.0/run', data: '#!/bin/sh\n', mode: 0o755 },
  ];
  const sdist = (changed: readonly TarPart[], level = 6): Buffer => gzipSync(tarBytes(changed), { level });
  const compareSdists = (rebuild: Buffer): Promise<Comparison> => compareArtifacts({ upstream: sdist(parts), rebuild, rules: sdistRules });

  it('compressed at another level have identical content', async () => {
    expect((await compareSdists(sdist(parts, 1))).rung).toBe('identical-content');
  });

  const packedElsewhere = (some: readonly TarPart[]): readonly TarPart[] =>
    some.toReversed().map((part) => ({ ...part, uid: 1000, uname: 'user', mtime: 1, mode: (part.mode ?? 0o644) | 0o20 }));
  const packingRules = ['tar.mode-reduce', 'tar.owner', 'tar.mtime', 'tar.order'];

  it('with other owners, times, modes and order have identical files', async () => {
    const comparison = await compareSdists(sdist(packedElsewhere(parts)));

    expect([comparison.rung, names(comparison)]).toEqual(['identical-files', packingRules]);
  });

  it('of which one names its folders are equivalent', async () => {
    const comparison = await compareSdists(sdist(packedElsewhere(parts.slice(1))));

    expect([comparison.rung, names(comparison)]).toEqual(['equivalent', ['tar.implied-directories', ...packingRules]]);
  });

  it('with other line endings in metadata and another order of sources are equivalent', async () => {
    const rebuild = parts.map((part) => ({
      ...part,
      data: part.name.endsWith('PKG-INFO') ? onWindows(METADATA) : part.name.endsWith('SOURCES.txt') ? 'b.py\na.py\n' : (part.data ?? ''),
    }));

    const comparison = await compareSdists(sdist(rebuild));

    expect([comparison.rung, names(comparison)]).toEqual(['equivalent', ['sdist.pkginfo-eol', 'sdist.sources-order']]);
    expect(comparison.findings.map(({ code, side }) => [code, side])).toEqual([['crlf', 'rebuild']]);
  });

  it.each([
    ['the section that setuptools adds', '[metadata]\nname = demo\n\n[egg_info]\ntag_build = \ntag_date = 0\n\n', 'build-metadata'],
    ['how it is written', '# a comment\n[metadata]\nNAME:demo\n', 'build-metadata'],
    ['what it says', '[metadata]\nname = demo\n[options]\npackages = planted\n', 'content-unexplained'],
    ['that it can not be read', '[metadata]\nname demo\n', 'content-unexplained'],
  ])('whose setup.cfg differs in %s', async (_, data, cause) => {
    const withCfg = (text: string) => sdist([...parts, { name: 'demo-1.0/setup.cfg', data: text }]);
    const upstream = withCfg('[metadata]\nname = demo\n');

    const { residue } = await compareArtifacts({ upstream, rebuild: withCfg(data), rules: sdistRules });

    expect(residue.map((difference) => [difference.path, difference.cause])).toEqual([['demo-1.0/setup.cfg', cause]]);
  });

  it('of which one lost an executable bit differ', async () => {
    expect(
      (await compareSdists(sdist(parts.map((part) => ({ ...part, mode: part.typeflag === '5' ? 0o755 : 0o644 }))))).residue.map(({ path, kind }) => [
        path,
        kind,
      ]),
    ).toEqual([['demo-1.0/run', 'mode']]);
  });
});

describe('rules', () => {
  it('are known for wheels and sdists and for nothing else', () => {
    expect(['a-1-py3-none-any.whl', 'a-1.tar.gz', 'a-1.zip', 'a-1.tar.bz2', 'a-1.egg'].map((name) => pypiRules(name)?.format)).toEqual([
      'zip',
      'tar.gz',
      'zip',
      undefined,
      undefined,
    ]);
  });
});
