import { describe, expect, it } from 'vitest';
import { parseGoMod } from './go-mod.ts';
import { modulePurl, pathOf } from './names.ts';
import { resolveModules } from './resolve.ts';
import { golangIndex } from './upstream.ts';

const BASE = 'https://proxy.example/';
const PRUNED = 'go 1.21\n';
const bytes = (text: string) => new TextEncoder().encode(text);

/** A proxy that has these files. */
async function resolve(files: Readonly<Record<string, string>>, ...requirements: readonly string[]) {
  const fetch = async (url: string) => {
    const text = files[url.slice(BASE.length)];
    return text === undefined ? undefined : bytes(text);
  };
  const current = async (purl: ReturnType<typeof modulePurl>) => {
    const url = golangIndex.documentUrl(BASE, purl);
    const list = await fetch(url);
    const source = { url, contentType: 'text/plain', package: purl };
    return list && { bytes: list, ...source, document: golangIndex.parse(list, source) };
  };
  return await resolveModules(requirements, current, { upstreamBase: BASE, fetch });
}
/** `path@version`, with `/go.mod` where no more is wanted. */
async function pins(files: Readonly<Record<string, string>>, ...requirements: readonly string[]): Promise<readonly string[]> {
  const resolution = await resolve(files, ...requirements);
  if (!resolution.ok) throw new Error(resolution.detail);
  return resolution.pins.map((pin) => `${pin.name}@${pin.version}${pin.files === undefined ? '' : '/go.mod'}`).sort();
}

describe('a module with all that it needs', () => {
  it('takes the newest release that is listed, and the highest of each version that is named', async () => {
    const files = {
      'a.example/a/@v/list': 'v1.0.0\nv1.1.0\nv1.2.0-rc.1\n',
      'a.example/a/@v/v1.1.0.mod': `${PRUNED}require (\n\tb.example/b v1.0.0 // indirect\n\t"c.example/c" v1.0.0\n)\n`,
      'b.example/b/@v/v1.0.0.mod': `${PRUNED}require c.example/c v1.5.0\nrequire d.example/d v1.0.0\n`,
      'c.example/c/@v/v1.0.0.mod': PRUNED,
      'c.example/c/@v/v1.5.0.mod': PRUNED,
    };

    // d is pruned out: what b needs of it a would have named.
    expect(await pins(files, 'a.example/a')).toEqual(
      ['a.example/a@v1.1.0', 'b.example/b@v1.0.0', 'c.example/c@v1.0.0/go.mod', 'c.example/c@v1.5.0'].toSorted(),
    );
  });

  it('takes all that follows from one that names too little, round circles too', async () => {
    const files = {
      'a.example/a/@v/v1.0.0.mod': 'require b.example/b v1.0.0\n',
      'b.example/b/@v/v1.0.0.mod': `${PRUNED}require c.example/c v1.0.0\n`,
      'c.example/c/@v/v1.0.0.mod': 'require a.example/a v0.9.0\n',
      'a.example/a/@v/v0.9.0.mod': '',
    };

    expect(await pins(files, 'a.example/a@v1.0.0')).toEqual(['a.example/a@v0.9.0/go.mod', 'a.example/a@v1.0.0', 'b.example/b@v1.0.0', 'c.example/c@v1.0.0']);
  });

  it('takes the newest commit of one that nobody tagged', async () => {
    const version = 'v0.0.0-20240102030405-0123456789ab';
    const files = { 'a.example/a/@v/list': '', 'a.example/a/@latest': JSON.stringify({ Version: version }), [`a.example/a/@v/${version}.mod`]: PRUNED };

    expect(await pins(files, 'a.example/a')).toEqual([`a.example/a@${version}`]);
  });

  it('is unavailable when upstream has none, or lacks a part', async () => {
    expect(await resolve({}, 'a.example/a')).toMatchObject({ ok: false, why: 'unavailable', detail: expect.stringContaining('no version') });
    expect(await resolve({ 'a.example/a/@v/list': 'v1.0.0\n' }, 'a.example/a@v9.9.9')).toMatchObject({
      ok: false,
      why: 'no-such-version',
      detail: 'upstream has no a.example/a@v9.9.9',
    });
    expect(await resolve({ 'a.example/a/@v/v1.0.0.mod': 'require b.example/b v1.0.0\n' }, 'a.example/a@v1.0.0')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('no go.mod of b.example/b@v1.0.0'),
    });
  });
});

describe('a go.mod', () => {
  it('is read as far as it is understood', () => {
    const text =
      'module a.example/a // comment\ngo 1.17\ntoolchain go1.23.4\nrequire b.example/b v1.0.0 // indirect\nreplace b.example/b => ../b\nexclude (\n\tc.example/c v1.0.0\n)\nrequire (\n\t`d.example/d` v2.0.0+incompatible\n\t../x v1.0.0\n\te.example/e latest\n)\n';

    expect(parseGoMod(bytes(text))).toEqual({
      path: 'a.example/a',
      language: { major: 1, minor: 17 },
      requires: [
        { path: 'b.example/b', version: 'v1.0.0' },
        { path: 'd.example/d', version: 'v2.0.0+incompatible' },
      ],
      pruned: true,
    });
    expect(parseGoMod(bytes('go 1.16\n')).pruned).toBe(false);
  });
});

describe('an index', () => {
  const source = { url: `${BASE}github.com/!burnt!sushi/toml/@v/list`, contentType: 'text/plain', package: modulePurl('github.com/BurntSushi/toml') };

  it('has three files of each version, at addresses beside it', () => {
    const { artifacts, refused } = golangIndex.parse(bytes('v1.3.2\nlatest\nv1.3.2\n'), source);

    expect(artifacts.map(({ url, path, purl }) => [url, path, pathOf(purl)])).toEqual(
      ['info', 'mod', 'zip'].map((kind) => [
        `${BASE}github.com/!burnt!sushi/toml/@v/v1.3.2.${kind}`,
        `github.com/!burnt!sushi/toml/@v/v1.3.2.${kind}`,
        'github.com/BurntSushi/toml',
      ]),
    );
    expect(refused).toEqual([{ fileName: 'latest', why: 'not a version' }]);
  });

  it('lists no pseudo-version and not every other, which are there all the same', () => {
    expect(golangIndex.unlisted?.(BASE, source.package, 'v0.0.0-20240102030405-0123456789ab')).toHaveLength(3);
    expect(golangIndex.unlisted?.(BASE, source.package, 'v1.3.3')).toHaveLength(3);
    expect(golangIndex.unlisted?.(BASE, source.package, 'latest')).toBeUndefined();
  });
});
