import { gzipSync } from 'node:zlib';
import { compareArtifacts } from '@granary/core/compare';
import { type TarPart, tarBytes } from '@granary/core/test';
import { describe, expect, it } from 'vitest';
import { npmRules, tarballRules } from './normalize.ts';

const FILES: Readonly<Record<string, string>> = { 'package/package.json': '{"name":"box","version":"1.0.0"}', 'package/index.js': 'run();\n' };

function tarball(files: Readonly<Record<string, string>> = FILES, part: Partial<TarPart> = {}, level = 9): Uint8Array {
  return gzipSync(tarBytes(Object.entries(files).map(([name, data]) => ({ name, data, ...part }))), { level });
}
const compare = (upstream: Uint8Array, rebuild: Uint8Array) => compareArtifacts({ upstream, rebuild, rules: tarballRules });
const causeOf = (published: unknown, built: unknown, path = 'package/package.json') =>
  tarballRules.causeOf({ path, upstream: Buffer.from(textOf(published)), rebuild: Buffer.from(textOf(built)) });
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

describe('two tarballs', () => {
  it('may be compressed, dated, owned and ordered as anybody likes', async () => {
    const text = { 'package/index.js': 'run();\n'.repeat(100) };
    const other = Object.fromEntries(Object.entries(FILES).reverse());

    expect((await compare(tarball(text), tarball(text, {}, 1))).rung).toBe('identical-content');
    expect((await compare(tarball(FILES, { mode: 0o644 }), tarball(other, { mode: 0o664, mtime: 77 }))).rung).toBe('identical-files');
  });

  it('differ in any byte of a file, and in whether it can be executed', async () => {
    const changed = await compare(tarball(), tarball({ ...FILES, 'package/index.js': 'run()\n' }));
    const executable = await compare(tarball(FILES, { mode: 0o644 }), tarball(FILES, { mode: 0o755 }));

    expect(changed).toMatchObject({ rung: 'none', residue: [{ path: 'package/index.js', cause: 'content-unexplained' }] });
    expect(executable.residue.map(({ kind }) => kind)).toEqual(['mode', 'mode']);
  });

  it('are nothing else', () => {
    expect(npmRules('box-1.0.0.tgz')).toBe(tarballRules);
    expect(npmRules('box-1.0.0.tar')).toBeUndefined();
  });
});

describe('a package.json that differs', () => {
  const manifest = { name: 'box', version: '1.0.0', scripts: { test: 'x' }, dependencies: { a: '^1.0.0' } };

  it.each([
    ['only in the order of its members', { ...Object.fromEntries(Object.entries(manifest).reverse()) }, manifest],
    ['only in white space', JSON.stringify(manifest, null, 2), JSON.stringify(manifest)],
    ['in the commit that it names', { ...manifest, gitHead: 'a'.repeat(40) }, manifest],
    ['in the version that the source leaves open', manifest, { ...manifest, version: '0.0.0-development' }],
    ['in ranges that stand for packages beside it', { ...manifest, dependencies: { a: '^1.0.0' } }, { ...manifest, dependencies: { a: 'workspace:^' } }],
    ['in the exact version of one', { ...manifest, dependencies: { a: '1.0.0' } }, { ...manifest, dependencies: { a: 'workspace:*' } }],
    ['in a range of one', { ...manifest, dependencies: { a: '>=1' } }, { ...manifest, dependencies: { a: 'workspace:>=1' } }],
    ['in ranges of a catalog', { ...manifest, devDependencies: { b: '~2.0.0' } }, { ...manifest, devDependencies: { b: 'catalog:' } }],
  ])('%s does so by publishing', (_, published, built) => {
    expect(causeOf(published, built)).toBe('build-metadata');
  });

  it.each([
    ['a script', { ...manifest, scripts: { test: 'x', install: 'y' } }, manifest],
    ['the range of a dependency', { ...manifest, dependencies: { a: '^2.0.0' } }, manifest],
    ['one dependency more', { ...manifest, dependencies: { a: '^1.0.0', b: '1' } }, { ...manifest, dependencies: { a: 'workspace:^' } }],
    ['an address for one beside it', { ...manifest, dependencies: { a: 'https://files.example/a.tgz' } }, { ...manifest, dependencies: { a: 'workspace:*' } }],
    ['another kind of range', { ...manifest, dependencies: { a: '*' } }, { ...manifest, dependencies: { a: 'workspace:^' } }],
    ['another version', { ...manifest, version: '2.0.0' }, manifest],
    ['no JSON', '{', manifest],
    ['a tower', `{"a":${'['.repeat(300)}${']'.repeat(300)}}`, manifest],
    ['members of every object', '{"name":"box","__proto__":{"x":1}}', '{"name":"box"}'],
  ])('in %s stays unexplained', (_, published, built) => {
    expect(causeOf(published, built)).toBeUndefined();
  });

  it('is the one at the top', () => {
    expect(causeOf(manifest, { ...manifest, gitHead: 'x' }, 'package/lib/package.json')).toBeUndefined();
  });
});
