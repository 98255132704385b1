import { EcosystemError } from '@granary/contract/ecosystem';
import { describe, expect, it } from 'vitest';
import { npmDemand } from '../demand.ts';

const ONE = Buffer.alloc(64, 1);
const TWO = Buffer.alloc(64, 2);
const SHA1 = 'b'.repeat(40);
const sri = (bytes: Buffer) => `sha512-${bytes.toString('base64')}`;
const at = (path: string) => `https://registry.example/npm/${path}`;

function read(fileName: string, text: string) {
  const wish = npmDemand.wishOfLockfile(fileName, new TextEncoder().encode(text));
  if (wish.type !== 'pins') throw new TypeError('a lock has pins');
  return { pins: wish.pins, notCovered: wish.notCovered ?? [] };
}
const names = (fileName: string, text: string) => read(fileName, text).pins.map(({ name, version }) => `${name}@${version}`);

describe('package-lock.json', () => {
  const packages = {
    '': { name: 'app', version: '1.0.0', workspaces: ['packages/*'] },
    'packages/own': { version: '1.0.0' },
    'node_modules/own': { resolved: 'packages/own', link: true },
    'node_modules/ms': { version: '2.1.3', resolved: at('ms/-/ms-2.1.3.tgz'), integrity: sri(ONE) },
    'node_modules/a/node_modules/@deep/sea': { version: '1.0.0', resolved: at('@deep/sea/-/sea-1.0.0.tgz'), integrity: `${sri(ONE)} ${sri(TWO)} sha1-x` },
    'node_modules/old': { name: 'ms', version: '0.7.1', resolved: at('ms/-/ms-0.7.1.tgz'), integrity: `sha1-${Buffer.from(SHA1, 'hex').toString('base64')}` },
    'node_modules/bare': { version: '3.0.0', integrity: sri(TWO) },
    'node_modules/a/node_modules/inside': { version: '1.0.0', inBundle: true },
    'node_modules/git': { version: '1.0.0', resolved: 'git+ssh://git@git.example/x.git#abc' },
    'node_modules/far': { version: '1.0.0', resolved: 'https://files.example/far.tgz', integrity: sri(ONE) },
    'node_modules/near': { version: '1.0.0', resolved: 'file:near-1.0.0.tgz', integrity: sri(ONE) },
    'node_modules/__proto__': { version: '1.0.0', resolved: at('__proto__/-/x.tgz') },
  };

  it.each([2, 3])('version %i names what lies in registries, and says what does not', (lockfileVersion) => {
    const lock = read('web/package-lock.json', JSON.stringify({ lockfileVersion, packages, dependencies: { ignored: { version: '1.0.0' } } }));

    expect(lock.pins).toEqual([
      { name: '@deep/sea', version: '1.0.0', digests: [{ sha512: ONE.toString('hex') }, { sha512: TWO.toString('hex') }] },
      { name: 'bare', version: '3.0.0', digests: [{ sha512: TWO.toString('hex') }] },
      { name: 'ms', version: '0.7.1', digests: [{ sha1: SHA1 }] },
      { name: 'ms', version: '2.1.3', digests: [{ sha512: ONE.toString('hex') }] },
    ]);
    expect(lock.notCovered).toEqual([
      '__proto__: https://registry.example/npm/__proto__/-/x.tgz',
      'far: https://files.example/far.tgz',
      'git: git+ssh://git@git.example/x.git#abc',
      'near: file:near-1.0.0.tgz',
    ]);
  });

  it('version 1 nests, and has addresses for versions', () => {
    const lock = read(
      'npm-shrinkwrap.json',
      JSON.stringify({
        lockfileVersion: 1,
        dependencies: {
          a: { version: '1.0.0', resolved: at('a/-/a-1.0.0.tgz'), integrity: sri(ONE), dependencies: { ms: { version: '2.0.0', integrity: sri(TWO) } } },
          old: { version: 'npm:@deep/sea@1.0.0' },
          inside: { version: '1.0.0', bundled: true },
          own: { version: 'file:packages/own' },
          near: { version: 'file:near.tgz' },
          git: { version: 'github:x/y#abc', from: 'github:x/y' },
        },
      }),
    );

    expect(lock.pins.map(({ name, version }) => `${name}@${version}`)).toEqual(['@deep/sea@1.0.0', 'a@1.0.0', 'ms@2.0.0']);
    expect(lock.notCovered).toEqual(['git: github:x/y#abc', 'near: file:near.tgz']);
  });

  it('may nest as deep as it likes without ending the process', () => {
    let nested: object = { version: '1.0.0' };
    for (let depth = 0; depth < 90; depth++) nested = { version: '1.0.0', dependencies: { [`p${depth}`]: nested } };

    expect(names('package-lock.json', JSON.stringify({ lockfileVersion: 1, dependencies: { a: nested } })).length).toBe(91);
    expect(() => names('package-lock.json', `{"lockfileVersion":1,"dependencies":${'{"a":'.repeat(50_000)}`)).toThrow(EcosystemError);
  });
});

describe('pnpm-lock.yaml', () => {
  const resolution = `resolution: {integrity: ${sri(ONE)}}`;

  it.each([
    ['5.4', '/ms/2.1.3', '/@deep/sea/1.0.0_react@18.2.0', 'git.example/x/abc'],
    ["'6.0'", '/ms@2.1.3', '/@deep/sea@1.0.0(react@18.2.0)', 'git.example/x/abc'],
    ["'9.0'", 'ms@2.1.3', "'@deep/sea@1.0.0'", "'x@git+https://git.example/x#abc'"],
  ])('of format %s names what lies in registries', (version, plain, scoped, git) => {
    const lock = read(
      'pnpm-lock.yaml',
      [
        `lockfileVersion: ${version}`,
        'packages:',
        `  ${plain}:\n    ${resolution}`,
        `  ${scoped.startsWith("'") ? scoped : `'${scoped}'`}:\n    resolution: {integrity: ${sri(TWO)}, tarball: ${at('@deep/sea/-/sea-1.0.0.tgz')}}`,
        `  ${git}:\n    resolution: {tarball: https://git.example/x.tgz}`,
        `  'file:own':\n    resolution: {directory: own, type: directory}`,
        `  'node@runtime:24.0.0':\n    resolution: {type: variations}`,
      ].join('\n'),
    );

    expect(lock.pins).toEqual([
      { name: '@deep/sea', version: '1.0.0', digests: [{ sha512: TWO.toString('hex') }] },
      { name: 'ms', version: '2.1.3', digests: [{ sha512: ONE.toString('hex') }] },
    ]);
    expect(lock.notCovered.toSorted()).toEqual([git.replaceAll("'", ''), 'node@runtime:24.0.0'].toSorted());
  });

  it('may have a document for pnpm itself before that of the project', () => {
    const document = (name: string) => `lockfileVersion: '9.0'\npackages:\n  ${name}@1.0.0:\n    ${resolution}\n`;

    expect(names('pnpm-lock.yaml', `---\n${document('pnpm')}---\n${document('ms')}`)).toEqual(['ms@1.0.0', 'pnpm@1.0.0']);
  });

  it.each([
    ['another format', "lockfileVersion: '10.0'"],
    ['aliases', "lockfileVersion: '9.0'\npackages: &a\n  x: *a"],
    ['what is not YAML', 'lockfileVersion: ['],
    ['a tower', `lockfileVersion: ${'['.repeat(20_000)}`],
    ['another shape', "lockfileVersion: '9.0'\npackages: [1]"],
  ])('is refused with %s', (_, text) => {
    expect(() => names('pnpm-lock.yaml', text)).toThrow(EcosystemError);
  });
});

describe('yarn.lock', () => {
  it('of yarn 1 names packages by their addresses', () => {
    const lock = read(
      'yarn.lock',
      [
        '# yarn lockfile v1',
        '',
        '"@deep/sea@^1.0.0", "@deep/sea@^1.1.0":',
        '  version "1.1.0"',
        `  resolved "${at('@deep/sea/-/sea-1.1.0.tgz')}#${SHA1}"`,
        `  integrity ${sri(ONE)}`,
        '  dependencies:',
        '    ms "^2.0.0"',
        '"old@npm:ms@0.7.1":',
        '  version "0.7.1"',
        `  resolved "${at('ms/-/ms-0.7.1.tgz')}#${SHA1}"`,
        '"own@file:./own":',
        '  version "1.0.0"',
        '"near@file:./near.tgz":',
        '  version "1.0.0"',
        '  resolved "file:./near.tgz#abc"',
        '"x@git+https://git.example/x":',
        '  version "1.0.0"',
        '  resolved "git+https://git.example/x#abc"',
        '',
      ].join('\n'),
    );

    expect(lock.pins).toEqual([
      { name: '@deep/sea', version: '1.1.0', digests: [{ sha512: ONE.toString('hex') }] },
      { name: 'ms', version: '0.7.1', digests: [{ sha1: SHA1 }] },
    ]);
    expect(lock.notCovered).toEqual(['near: file:./near.tgz', 'x: git+https://git.example/x']);
  });

  it('of yarn 4 has locators, and checksums that say nothing of tarballs', () => {
    const entry = (key: string, resolution: string) => `"${key}":\n  version: 1.0.0\n  resolution: "${resolution}"\n  checksum: 10c0/${'a'.repeat(128)}\n`;
    const archive = (address: string) => `::__archiveUrl=${encodeURIComponent(address)}`;
    const lock = read(
      'yarn.lock',
      [
        '__metadata:\n  version: 8\n  cacheKey: 10c0\n',
        entry('@deep/sea@npm:^1.0.0, @deep/sea@npm:^1.1.0', '@deep/sea@npm:1.1.0'),
        entry('old@npm:ms@0.7.1', 'ms@npm:0.7.1'),
        entry('odd@npm:1.0.0', `odd@npm:1.0.0${archive(at('odd/-/odd-1.0.0.tgz'))}`),
        entry('far@npm:1.0.0', `far@npm:1.0.0${archive('https://files.example/far')}`),
        entry('ms@patch:ms@npm%3A0.7.1#x', 'ms@patch:ms@npm%3A0.7.1#x::version=0.7.1'),
        entry('app@workspace:.', 'app@workspace:.'),
        entry('own@file:./own', 'own@file:./own#./own::hash=abc&locator=app%40workspace%3A.'),
        entry('x@git@git.example:x.git', 'x@git@git.example:x.git#commit=abc'),
      ].join('\n'),
    );

    expect(lock.pins).toEqual([
      { name: '@deep/sea', version: '1.1.0', digests: [] },
      { name: 'ms', version: '0.7.1', digests: [] },
      { name: 'odd', version: '1.0.0', digests: [] },
    ]);
    expect(lock.notCovered).toEqual(['far: https://files.example/far', 'x: git@git.example:x.git#commit=abc']);
  });

  it.each([
    ['what is none', '# yarn lockfile v1\n\n{{{'],
    ['a tower', `a:\n${Array.from({ length: 100 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')}`],
    ['another shape', '__metadata:\n  version: 8\n"a@npm:1":\n  version: 1'],
  ])('is refused with %s', (_, text) => {
    expect(() => names('yarn.lock', text)).toThrow(EcosystemError);
  });
});

it.each([
  ['not JSON', '{'],
  ['no version', '{}'],
  ['another version', '{"lockfileVersion":9}'],
  ['an entry of another shape', '{"lockfileVersion":3,"packages":{"node_modules/a":1}}'],
])('a package-lock.json with %s is refused', (_, text) => {
  expect(() => names('package-lock.json', text)).toThrow(EcosystemError);
});
