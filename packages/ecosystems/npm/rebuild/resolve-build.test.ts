import type { CurrentDocument } from '@granary/contract/ecosystem';
import { type Purl, toInstant } from '@granary/core/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packagePurl } from '../names.ts';
import { npmIndex } from '../upstream.ts';
import { formatLocked, parseLocked } from './locked-requirement.ts';
import { resolveBuild } from './resolve-build.ts';

const integrityOf = (fill: number) => `sha512-${Buffer.alloc(64, fill).toString('base64')}`;
const hexOf = (fill: number) => fill.toString(16).padStart(2, '0').repeat(64);
const JUNE = toInstant(Date.UTC(2024, 5, 1));

interface Release {
  readonly at: string;
  readonly more?: object;
}
const REGISTRY: Readonly<Record<string, Readonly<Record<string, Release>>>> = {
  shape: { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { dependencies: { line: '^1' } } }, '1.1.0': { at: '2024-09-01T00:00:00Z' } },
  line: { '1.0.0': { at: '2024-01-01T00:00:00Z' }, '1.0.1': { at: '2024-07-01T00:00:00Z' } },
  'tool-darwin': { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { os: ['darwin'] } } },
  'tool-linux': { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { os: ['linux'], cpu: ['x64'] } } },
  'tool-musl': { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { os: ['linux'], libc: ['musl'] } } },
  'not-windows': { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { os: ['!win32'], cpu: 'any' } } },
  'not-linux': { '1.0.0': { at: '2024-01-01T00:00:00Z', more: { os: '!linux' } } },
};

async function current(purl: Purl): Promise<CurrentDocument | undefined> {
  const name = purl.slice('pkg:npm/'.length);
  const releases = REGISTRY[name];
  if (releases === undefined) return undefined;
  const versions = Object.entries(releases).map(([version, { more }]) => [
    version,
    { name, version, ...more, dist: { tarball: `https://registry.example/${name}/-/${name}-${version}.tgz`, integrity: integrityOf(1) } },
  ]);
  const time = Object.fromEntries(Object.entries(releases).map(([version, { at }]) => [version, at]));
  const bytes = new TextEncoder().encode(
    JSON.stringify({ name, versions: Object.fromEntries(versions), time, 'dist-tags': { latest: Object.keys(releases).at(-1) } }),
  );
  const source = { url: `https://registry.example/${name}`, contentType: 'application/json' };
  return { bytes, ...source, document: npmIndex.parse(bytes, { ...source, package: packagePurl(name) }) };
}
const upstream = { upstreamBase: 'https://registry.example/', fetch: async () => undefined };
const resolve = (...requirements: readonly string[]) => resolveBuild({ requirements, before: JUNE }, current, upstream);
async function releases(...requirements: readonly string[]): Promise<readonly string[]> {
  const resolution = await resolve(...requirements);
  if (!resolution.ok) throw new Error(resolution.detail);
  return resolution.pins.map(({ name, version }) => `${name}@${version}`);
}

describe('a release that a lock names', () => {
  it('is that, and brings nothing with it', async () => {
    expect(await resolve(`shape@1.0.0 sha512:${hexOf(1)}`)).toEqual({
      ok: true,
      pins: [{ name: 'shape', version: '1.0.0', files: [{ fileName: 'shape-1.0.0.tgz', digests: { sha512: hexOf(1) } }] }],
    });
    expect(await releases('shape@1.0.0', 'line@1.0.0')).toEqual(['line@1.0.0', 'shape@1.0.0']);
  });

  it('is refused with other bytes, unless one of several statements holds', async () => {
    expect(await resolve(`shape@1.0.0 sha512:${hexOf(2)}`)).toMatchObject({
      ok: false,
      why: 'unavailable',
      detail: expect.stringContaining('other digests of shape@1.0.0'),
    });
    expect(await releases(`shape@1.0.0 sha512:${hexOf(2)} sha512:${hexOf(1)}`)).toEqual(['shape@1.0.0']);
  });

  it.each(['shape@3.0.0', 'nobody@1.0.0'])('is refused when upstream has none, and left out where it may be of another platform: %s', async (requirement) => {
    const line = `the lock names ${requirement}, which upstream doesn't have`;

    expect(await resolve(requirement)).toEqual({ ok: false, why: 'unavailable', detail: line });
    expect(await resolve(`${requirement} if-it-runs`)).toEqual({ ok: true, pins: [], notCovered: [line] });
  });

  it('was there when it was locked, whatever upstream says, and the others as they were then', async () => {
    const resolution = await resolve('shape@1.1.0', 'line@^1');

    expect(resolution).toMatchObject({ ok: true, asOf: '2024-09-01T00:00:00.000Z' });
    expect(await releases('shape@1.1.0', 'line@^1')).toEqual(['line@1.0.0', 'shape@1.1.0']);
  });

  it('is left out where it says that it is of another platform, if its client does so', async () => {
    const names = ['tool-darwin', 'tool-linux', 'tool-musl', 'not-windows', 'not-linux'].map((name) => `${name}@1.0.0`);

    expect(await releases(...names.map((name) => `${name} if-it-runs`))).toEqual(['not-windows@1.0.0', 'tool-linux@1.0.0']);
    expect(await releases(...names)).toEqual(names.toSorted());
  });
});

describe('a range', () => {
  it('comes to what there was by then, with what that needs', async () => {
    expect(await releases('shape@^1.0.0')).toEqual(['line@1.0.0', 'shape@1.0.0']);
    expect(await releases('shape@=1.0.0')).toEqual(['line@1.0.0', 'shape@1.0.0']);
    expect(await releases('line@^1 || ^2', `shape@1.0.0 sha512:${hexOf(1)}`)).toEqual(['line@1.0.0', 'shape@1.0.0']);
  });

  it('that can not be had says so', async () => {
    expect(await resolve('shape@^9')).toMatchObject({ ok: false, why: 'conflict' });
    expect(await resolve('shape@file:../shape')).toMatchObject({ ok: false, why: 'unavailable' });
  });
});

describe('a tool', () => {
  it('is the newest release of its day, and brings nothing with it', async () => {
    expect(await releases('shape@^1 alone, as of 2024-03-01T00:00:00.000Z')).toEqual(['shape@1.0.0']);
    expect(await releases('shape@^1 alone, as of 2024-10-01T00:00:00.000Z', 'line@^1')).toEqual(['line@1.0.0', 'shape@1.1.0']);
  });

  it('is the newest of all where upstream dates all of them later', async () => {
    expect(await releases('line@^1 alone, as of 2019-03-01T00:00:00.000Z')).toEqual(['line@1.0.1']);
  });

  it('that can not be had says so', async () => {
    expect(await resolve('shape@^9 alone, as of 2024-03-01T00:00:00.000Z')).toEqual({ ok: false, why: 'unavailable', detail: 'upstream has no shape ^9' });
    expect(await resolve('nobody@^1 alone, as of 2024-03-01T00:00:00.000Z')).toMatchObject({ ok: false, why: 'unavailable' });
  });
});

it('a requirement says what its lock said', () => {
  const hex = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'));
  const digests = fc.array(
    fc.oneof(
      hex(64).map((sha512) => ({ sha512 })),
      hex(20).map((sha1) => ({ sha1 })),
    ),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.constantFrom('shape', '@scope/shape'), digests, fc.constantFrom('any' as const, 'if-it-runs' as const), (name, stated, platform) => {
      expect(parseLocked(formatLocked({ name, version: '1.0.0-rc.1', digests: stated }, platform))).toEqual({
        name,
        version: '1.0.0-rc.1',
        digests: stated,
        platform,
      });
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseLocked(text)));
});
