import type { PackageView } from '@granary/contract/ecosystem';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { golangDiscovery } from './discovery.ts';
import { checkModule, readDeclared } from './evidence.ts';
import { artifactPath, artifactPurl, FILE_KINDS, type FileKind, fileNameOf, modulePurl } from './names.ts';
import { golangIndex } from './upstream.ts';
import { golangViews } from './views.ts';

const PATH = 'github.com/BurntSushi/toml';
const digest = sha256('document');
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

function view(held: Readonly<Record<string, readonly FileKind[]>>): PackageView {
  const files = Object.entries(held).flatMap(([version, kinds]) =>
    kinds.map((kind) => ({
      purl: artifactPurl(PATH, version, kind),
      fileName: fileNameOf(version, kind),
      path: artifactPath(PATH, version, kind),
      sha256: digest,
      sizeBytes: 1,
      document: digest,
      companions: [],
    })),
  );
  return { package: modulePurl(PATH), address: 'http://mirror.example/golang', documents: new Map(), document: digest, files, reconstructed: false };
}

describe('a path', () => {
  it('is a module, in the case that its author wrote', () => {
    const packagePurl = modulePurl(PATH);

    expect(golangViews.route('github.com/!burnt!sushi/toml/@v/list')).toEqual({ type: 'package', package: packagePurl });
    expect(golangViews.route('github.com/!burnt!sushi/toml/@latest')).toEqual({ type: 'package', package: packagePurl, document: 'latest' });
    const path = 'github.com/!burnt!sushi/toml/@v/v2.0.0+incompatible.zip';
    expect(golangViews.route(path)).toEqual({ type: 'artifact', packages: [packagePurl], path, version: 'v2.0.0+incompatible' });
  });

  it('is a question to the checksum database', () => {
    const name = 'sums.example/lookup/github.com/!burnt!sushi/toml@v1.3.2';
    expect(golangViews.route(`sumdb/${name}`)).toEqual({ type: 'evidence', name, mediaType: 'text/plain; charset=utf-8' });
    expect(golangViews.route('sumdb/sums.example/db/tile/8/0/x001/000')).toMatchObject({ mediaType: 'application/octet-stream' });
  });

  it.each([
    'github.com/BurntSushi/toml/@v/list',
    'fmt/@v/list',
    'mod.example/lamp/@v/v1.0.0.tar',
    'mod.example/lamp',
    'sumdb/x',
    'mod.example/lamp/@v/a/b.zip',
  ])('is not %s', (path) => {
    expect(golangViews.route(path)).toBeUndefined();
  });
});

describe('a list', () => {
  const held = view({
    'v1.10.0': FILE_KINDS,
    'v1.9.0': FILE_KINDS,
    'v1.11.0': ['info', 'mod'],
    'v1.10.1-0.20240102030405-0123456789ab': FILE_KINDS,
  });

  it('has the tagged versions that can be had whole', () => {
    expect(text(golangViews.renderPackage(held, 'text/plain'))).toBe('v1.9.0\nv1.10.0\n');
    expect(text(golangViews.renderPackage(held, 'application/json', 'latest'))).toBe('{"Version":"v1.10.0"}');
  });

  it('is empty, and there is no latest, where only parts are held', () => {
    const parts = view({ 'v1.11.0': ['info', 'mod'] });

    expect(text(golangViews.renderPackage(parts, 'text/plain'))).toBe('');
    expect(golangViews.renderPackage(parts, 'application/json', 'latest')).toBeUndefined();
  });
});

describe('a file', () => {
  const artifactOf = (kind: FileKind) => {
    const found = golangIndex
      .parse(new TextEncoder().encode('v1.3.2\n'), {
        url: 'https://proxy.example/github.com/!burnt!sushi/toml/@v/list',
        contentType: 'text/plain',
        package: modulePurl(PATH),
      })
      .artifacts.find(({ fileName }) => fileName.endsWith(kind));
    if (found === undefined) throw new TypeError(`no .${kind}`);
    return found;
  };
  const check = async (kind: FileKind, bytes: string) =>
    await checkModule({
      artifact: artifactOf(kind),
      upstreamBase: 'https://proxy.example/',
      settings: {},
      held: { files: () => [], read: async () => undefined },
      read: async () => new TextEncoder().encode(bytes),
      fetch: () => Promise.reject(new Error('nobody is asked')),
    });

  it('tells when it came out', async () => {
    const info = new TextEncoder().encode('{"Version":"v1.3.2","Time":"2023-06-08T11:20:31Z"}');

    expect(await readDeclared(artifactOf('info'), info)).toMatchObject({ publishedAt: '2023-06-08T11:20:31.000Z' });
    expect(await readDeclared(artifactOf('zip'), info)).toEqual({});
    expect(await readDeclared(artifactOf('info'), new TextEncoder().encode('no JSON'))).toEqual({});
  });

  it('has its hash, which stays unchecked where no database is configured', async () => {
    expect(await check('mod', 'module github.com/BurntSushi/toml\n\ngo 1.16\n')).toMatchObject({
      digests: { h1: expect.stringMatching(/^h1:.{44}$/) },
      evidence: [{ check: 'sumdb', state: 'unchecked', why: 'no checksum database is configured' }],
    });
  });

  it('is refused when it is of another version', async () => {
    await expect(check('info', '{"Version":"v1.3.3"}')).rejects.toMatchObject({ code: 'mismatch' });
  });
});

describe("this machine's go", () => {
  const environment = (more: object) =>
    JSON.stringify({ GOPROXY: 'https://proxy.example,direct', GOSUMDB: 'sums.example', GONOSUMDB: 'corp.example', ...more }, undefined, '\t');
  const keys = 'var knownGOSUMDB = map[string]string{\n\t"sums.example": "sums.example+8666a838+AXL1ebjqEeHJ9AbFgITUgMBloVWwL/OD+m0x+ddF+77l",\n}\n';

  it('says which proxy it asks, and by which key it checks what a database says', () => {
    expect(golangDiscovery.parse(`${environment({})}\n${keys}`)).toEqual({
      index: 'https://proxy.example/',
      files: [],
      settings: { GOSUMDB: 'sums.example+8666a838+AXL1ebjqEeHJ9AbFgITUgMBloVWwL/OD+m0x+ddF+77l', GONOSUMDB: 'corp.example' },
    });
    expect(golangDiscovery.parse(environment({ GOSUMDB: 'other.example+00000000+AAAA https://sums.example' }))?.settings?.['GOSUMDB']).toBe(
      'other.example+00000000+AAAA https://sums.example',
    );
    expect(golangDiscovery.parse(environment({ GOPROXY: 'file:///tmp/x|https://b.example/go' }))?.index).toBe('https://b.example/go/');
  });

  it.each(['', 'not JSON', '{}', '{"GOPROXY":"direct","GOSUMDB":"off","GONOSUMDB":""}'])('says nothing usable: %j', (output) => {
    expect(golangDiscovery.parse(output)).toBeUndefined();
  });
});
