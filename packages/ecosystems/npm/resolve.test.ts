import type { CurrentDocument } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { nameOf } from './names.ts';
import { resolveRequirements } from './resolve.ts';
import { npmIndex } from './upstream.ts';

type Manifests = Readonly<Record<string, object>>;
const SHASUM = 'a'.repeat(40);

/** An upstream with these packages; the highest version that is no prerelease is the latest. */
function registry(packages: Readonly<Record<string, Manifests>>, latest: Readonly<Record<string, string>> = {}) {
  return async (purl: Purl): Promise<CurrentDocument | undefined> => {
    const name = nameOf(purl);
    const manifests = packages[name];
    if (manifests === undefined) return undefined;
    const versions = Object.fromEntries(
      Object.entries(manifests).map(([version, manifest]) => [
        version,
        { name, version, dist: { tarball: `https://registry.example/${name}/-/x-${version}.tgz`, shasum: SHASUM }, ...manifest },
      ]),
    );
    const tag = latest[name] ?? Object.keys(manifests).findLast((version) => !version.includes('-'));
    const bytes = new TextEncoder().encode(JSON.stringify({ name, versions, 'dist-tags': { latest: tag, next: '9.0.0-rc.1' } }));
    const source = { url: `https://registry.example/${name}`, contentType: 'application/json', package: purl };
    return { bytes, ...source, document: npmIndex.parse(bytes, source) };
  };
}
async function pinsOf(requirements: readonly string[], ...upstream: Parameters<typeof registry>): Promise<readonly string[] | object> {
  const resolution = await resolveRequirements(requirements, registry(...upstream));
  return resolution.ok ? resolution.pins.map(({ name, version }) => `${name}@${version}`) : resolution;
}

describe('requirements', () => {
  it('bring everything along that may be installed on any platform', async () => {
    const pins = await pinsOf(['app@^1'], {
      app: {
        '1.0.0': {},
        '1.2.0': {
          dependencies: { a: '^1', both: '^1' },
          optionalDependencies: { mac: '^1', gone: '^1', both: '^2' },
          devDependencies: { never: '1' },
          peerDependencies: { peer: '>=1', maybe: '>=1' },
          peerDependenciesMeta: { maybe: { optional: true } },
        },
        '2.0.0': {},
      },
      a: { '1.0.0': { dependencies: { b: '~1.0' } }, '1.1.0': { dependencies: { b: '^1', app: '^1' } } },
      b: { '1.0.0': {}, '1.0.5': {}, '1.3.0': {} },
      both: { '1.0.0': {}, '2.0.0': {} },
      mac: { '1.0.0': { os: ['darwin'] } },
      peer: { '1.0.0': {}, '2.0.0': {} },
      maybe: { '1.0.0': {} },
    });

    expect(pins).toEqual(['a@1.1.0', 'app@1.2.0', 'b@1.3.0', 'both@2.0.0', 'mac@1.0.0', 'peer@2.0.0']);
  });

  it('mean what npm means: the tag where it fits, what is not deprecated, aliases by their target', async () => {
    const packages = { a: { '1.0.0': {}, '1.1.0': {}, '1.2.0': {}, '9.0.0-rc.1': {} }, b: { '1.0.0': {}, '1.1.0': { deprecated: 'no' } } };

    expect(await pinsOf(['a@^1', 'b@^1', 'a@next', 'other@npm:a@1.0.0'], packages, { a: '1.1.0', b: '1.1.0' })).toEqual([
      'a@1.0.0',
      'a@1.1.0',
      'a@9.0.0-rc.1',
      'b@1.0.0',
    ]);
  });

  it('ignore which runtime a version wants', async () => {
    expect(await pinsOf(['a@*'], { a: { '1.0.0': {}, '2.0.0': { engines: { node: '>=99' } } } })).toEqual(['a@2.0.0']);
  });

  it.each([
    ['a package that upstream does not have', { gone: '*' }, 'app@1.0.0 wants gone, and upstream'],
    ['a version that upstream does not have', { app: '^2' }, 'app@1.0.0 wants app@^2'],
    ['something outside of the registry', { x: 'git+https://git.example/x.git' }, 'which is in no registry'],
    ['a name that is a path', { '../x': '*' }, 'which is in no registry'],
    ['a range that is none', { app: '^^^ !' }, 'which is in no registry'],
  ])('say when a version asks for %s', async (_, dependencies, line) => {
    const resolution = await resolveRequirements(['app@*'], registry({ app: { '1.0.0': { dependencies } } }));

    expect(resolution).toEqual({ ok: true, pins: [{ name: 'app', version: '1.0.0' }], notCovered: [expect.stringContaining(line)] });
  });

  it.each([
    ['gone@*', 'unavailable'],
    ['app@^2', 'conflict'],
    ['app@git+https://git.example/x.git', 'unavailable'],
  ])('%s fails as a whole', async (requirement, why) => {
    expect(await pinsOf([requirement], { app: { '1.0.0': {} } })).toEqual({ ok: false, why, detail: expect.stringContaining('the watch list wants') });
  });

  it('take nothing that has no digest', async () => {
    expect(await pinsOf(['a@*'], { a: { '1.0.0': {}, '2.0.0': { dist: { tarball: 'https://registry.example/a.tgz' } } } })).toEqual(['a@1.0.0']);
  });
});
