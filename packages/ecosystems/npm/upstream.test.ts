import { createHash } from 'node:crypto';
import { EcosystemError } from '@granary/contract/ecosystem';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packagePurl } from './names.ts';
import { npmIndex } from './upstream.ts';

const BASE = 'https://registry.example/npm/';
const sha512 = (text: string) => createHash('sha512').update(text);
const integrity = (text: string) => `sha512-${sha512(text).digest('base64')}`;
const dist = (version: string, more: object = {}) => ({
  tarball: `https://registry.example/npm/@deep/sea/-/sea-${version}.tgz`,
  integrity: integrity(version),
  shasum: createHash('sha1').update(version).digest('hex'),
  ...more,
});
const version = (number: string, more: object = {}) => ({ name: '@deep/sea', version: number, dist: dist(number), ...more });

function parse(versions: Readonly<Record<string, unknown>>, more: object = {}) {
  const bytes = new TextEncoder().encode(JSON.stringify({ name: '@deep/sea', versions, 'dist-tags': {}, ...more }));
  return parseText(new TextDecoder().decode(bytes));
}
function parseText(text: string) {
  return npmIndex.parse(new TextEncoder().encode(text), {
    url: npmIndex.documentUrl(BASE, packagePurl('@deep/sea')),
    contentType: 'application/json',
    package: packagePurl('@deep/sea'),
  });
}

it('asks for a scoped package as npm does', () => {
  expect(npmIndex.documentUrl(BASE, packagePurl('@deep/sea'))).toBe('https://registry.example/npm/@deep%2fsea');
  expect(npmIndex.documentUrl('https://registry.example', packagePurl('JSONStream'))).toBe('https://registry.example/JSONStream');
});

it('guesses where a tarball lies by the path that clients ask, and nothing else', () => {
  const usual = (path: string, name = '@deep/sea') => npmIndex.usual?.(BASE, packagePurl(name), path);

  expect(usual('@deep/sea/-/sea-1.0.0.tgz')).toEqual({
    purl: 'pkg:npm/%40deep/sea@1.0.0?file_name=sea-1.0.0.tgz',
    url: 'https://registry.example/npm/@deep/sea/-/sea-1.0.0.tgz',
  });
  expect(['sea/-/sea-1.0.0.tgz', '@deep/sea/-/other-1.0.0.tgz', '@deep/sea/-/sea-latest.tgz', '@deep/sea/-/sea-.tgz'].map((path) => usual(path))).toEqual(
    Array(4).fill(undefined),
  );
});

describe('a release that is asked for alone', () => {
  const SEA = packagePurl('@deep/sea');
  const PATH = '@deep/sea/-/sea-1.0.0.tgz';
  const signed = { attestations: { url: 'https://registry.example/-/npm/v1/attestations/x' }, signatures: [{ keyid: 'k', sig: 's' }] };
  const address = npmIndex.release?.url(BASE, SEA, PATH) ?? '';
  const read = (manifest: unknown, path = PATH) =>
    npmIndex.release?.parse(new TextEncoder().encode(typeof manifest === 'string' ? manifest : JSON.stringify(manifest)), { url: address, package: SEA, path });

  it('lies where registries have it, by the path that clients ask', () => {
    const url = (path: string, name = '@deep/sea') => npmIndex.release?.url(BASE, packagePurl(name), path);

    expect([address, url('JSONStream/-/JSONStream-1.0.0-rc.1.tgz', 'JSONStream')]).toEqual([
      'https://registry.example/npm/@deep%2fsea/1.0.0',
      'https://registry.example/npm/JSONStream/1.0.0-rc.1',
    ]);
    expect(
      ['sea/-/sea-1.0.0.tgz', '@deep/sea/-/sea-latest.tgz', '@deep/sea/-/sea-1.0.0+build.tgz', '@deep/sea/-/../sea-1.0.0.tgz'].map((path) => url(path)),
    ).toEqual(Array(4).fill(undefined));
  });

  it('says of its file what the document of the package says, but for its time', () => {
    const manifest = version('1.0.0', { dist: dist('1.0.0', signed) });
    const { publishedAt, ...listed } = parse({ '1.0.0': manifest }, { time: { '1.0.0': '2023-01-01T00:00:00.000Z' } }).fileAt?.(PATH) ?? {};

    expect([read(manifest), publishedAt]).toEqual([listed, '2023-01-01T00:00:00.000Z']);
  });

  it.each([
    ['is of another version', version('1.0.1')],
    ['is of another package', { ...version('1.0.0'), name: '@deep/lake' }],
    ['has no file', { ...version('1.0.0'), dist: {} }],
    ['has its file elsewhere', version('1.0.0', { dist: dist('1.0.0', { tarball: 'https://registry.example/npm/@deep/sea/-/sea-early.tgz' }) })],
    ['states no digest', version('1.0.0', { dist: dist('1.0.0', { integrity: undefined, shasum: undefined }) })],
    ['is a message', { error: 'Not found' }],
  ])('tells nothing where what came %s', (_, manifest) => {
    expect(read(manifest)).toBe(undefined);
  });

  it.each([
    ['not JSON', '{"name":'],
    ['not an object', '"1.0.0"'],
    ['nested too deep', `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`],
  ])('is refused where it is %s', (_, text) => {
    expect(() => read(text)).toThrow(EcosystemError);
  });
});

it.each(['asked for alone', 'asked for among all'])('finds one file by its path, %s', (how) => {
  const tarball = 'https://registry.example/npm/@deep/sea/-/sea-early.tgz';
  const document = parse({
    '0.9.0': { ...version('0.9.0'), dist: {} },
    '1.0.0': version('1.0.0', { dist: dist('1.0.0', { tarball }) }),
    '1.0.1': version('1.0.1', { dist: dist('1.0.1', { tarball }) }),
    '1.0.2': version('1.0.2', { dist: dist('1.0.2', { tarball: 'https://elsewhere.example/download/7' }) }),
  });
  const all = how === 'asked for alone' ? [] : document.artifacts;

  const found = ['early', '1.0.2', '0.9.0', '1.0.0'].map((name) => document.fileAt?.(`@deep/sea/-/sea-${name}.tgz`));

  expect(found.map((file) => file?.purl.split('@')[1])).toEqual(['1.0.0?file_name=sea-early.tgz', '1.0.2?file_name=sea-1.0.2.tgz', undefined, undefined]);
  expect(all).toEqual(all.length === 0 ? [] : [found[0], found[1]]);
});

it('finds a file whose address is written in escapes, and the first of two that claim it, as often as it is asked for', () => {
  const escaped = JSON.stringify(version('1.0.0')).replace('sea-1.0.0.tgz', '\\u0073ea-odd.tgz');
  const claimed = JSON.stringify(version('2.0.0', { dist: { ...dist('2.0.0'), tarball: dist('odd').tarball } }));
  const { fileAt } = parseText(`{"name":"@deep/sea","versions":{"1.0.0":${escaped},"2.0.0":${claimed}}}`);

  const found = [1, 2].map(() => fileAt?.('@deep/sea/-/sea-odd.tgz')?.purl);

  expect(found).toEqual(['pkg:npm/%40deep/sea@1.0.0?file_name=sea-odd.tgz', 'pkg:npm/%40deep/sea@1.0.0?file_name=sea-odd.tgz']);
});

it('gives a tarball that is claimed to the version it is named after', () => {
  const document = () => parse({ '1.0.0': version('1.0.0', { dist: dist('2.0.0') }), '2.0.0': version('2.0.0') });

  const { artifacts, refused } = document();

  expect([artifacts.map(({ purl }) => purl), refused]).toEqual([
    ['pkg:npm/%40deep/sea@2.0.0?file_name=sea-2.0.0.tgz'],
    [{ fileName: '1.0.0', why: 'its tarball is that of another version' }],
  ]);
  expect(document().fileAt?.('@deep/sea/-/sea-2.0.0.tgz')).toEqual(artifacts[0]);
});

it('says of each path what its list says, whatever upstream calls its files', () => {
  const fileNames = fc.constantFrom('sea-1.0.0.tgz', 'sea-1.1.0.tgz', 'odd.tgz', 'od\td.tgz', 'sea-%31.0.0.tgz', '');
  const versions = fc.dictionary(fc.constantFrom('1.0.0', '1.0.0+a', '1.1.0', '2.0.0', 'none'), fileNames);
  const made = (files: Readonly<Record<string, string>>) =>
    parse(Object.fromEntries(Object.entries(files).map(([at, file]) => [at, version(at, { dist: { ...dist(at), tarball: `${BASE}@deep/sea/-/${file}` } })])));
  fc.assert(
    fc.property(versions, fc.array(fc.constantFrom('sea-1.0.0.tgz', 'sea-1.1.0.tgz', 'sea-2.0.0.tgz', 'odd.tgz')), (files, asked) => {
      const [document, { artifacts }] = [made(files), made(files)];
      for (const file of asked) {
        const path = `@deep/sea/-/${file}`;
        expect(document.fileAt?.(path)).toEqual(artifacts.find((artifact) => artifact.path === path));
      }
    }),
  );
});

it('takes the last of members that come twice, as JSON.parse does', () => {
  const text = `{"name":"other","versions":{"1.0.0":{}},"name":"@deep/sea","versions":{"1.0.0":{},"1.0.0":${JSON.stringify(version('1.0.0'))}}}`;

  const { artifacts, fileAt } = parseText(text);

  expect([fileAt?.('@deep/sea/-/sea-1.0.0.tgz'), artifacts.length]).toEqual([artifacts[0], 1]);
});

it('takes from the document what a tarball is checked by, and when it was published', () => {
  const signatures = [{ keyid: 'SHA256:k', sig: 'c2ln' }];
  const attestations = { url: 'https://elsewhere.example/-/npm/v1/attestations/@deep%2fsea@1.0.0', provenance: {} };
  const { artifacts, refused } = parse(
    { '1.0.0': version('1.0.0', { dist: dist('1.0.0', { signatures, attestations }) }) },
    { time: { '1.0.0': '2024-12-04T22:50:12.124000+00:00' } },
  );

  expect(refused).toEqual([]);
  expect(artifacts).toEqual([
    {
      purl: 'pkg:npm/%40deep/sea@1.0.0?file_name=sea-1.0.0.tgz',
      fileName: 'sea-1.0.0.tgz',
      path: '@deep/sea/-/sea-1.0.0.tgz',
      maxBytes: 2 ** 30,
      url: 'https://registry.example/npm/@deep/sea/-/sea-1.0.0.tgz',
      digests: { sha512: sha512('1.0.0').digest('hex'), sha1: createHash('sha1').update('1.0.0').digest('hex') },
      yanked: false,
      publishedAt: '2024-12-04T22:50:12.124Z',
      evidence: [
        { check: 'index-sha512', state: 'checked' },
        { check: 'index-sha1', state: 'checked' },
        { check: 'npm-attestations', state: 'unchecked', why: expect.stringContaining('no trusted root') },
      ],
      companions: [{ name: 'attestations', url: 'https://registry.example/npm/-/npm/v1/attestations/@deep%2fsea@1.0.0', accept: 'application/json' }],
      signatures: [{ message: `@deep/sea@1.0.0:${integrity('1.0.0')}`, keyId: 'SHA256:k', signature: 'c2ln' }],
    },
  ]);
});

it.each([
  ['no digest', { integrity: undefined, shasum: undefined }, 'no digest in the index'],
  ['a digest that is none', { integrity: 'sha512-short', shasum: 'x' }, 'no digest in the index'],
  ['two digests of one kind', { integrity: `${integrity('a')} ${integrity('b')}` }, 'several digests of one kind'],
  ['no address', { tarball: 'file:///etc/passwd' }, 'no usable address'],
  ['no tarball', { tarball: undefined }, 'no usable dist'],
])('refuses a version with %s, and says so', (_, more, why) => {
  const { artifacts, refused } = parse({ '1.0.0': version('1.0.0', { dist: dist('1.0.0', more) }), '2.0.0': version('2.0.0') });

  expect(artifacts.map(({ fileName }) => fileName)).toEqual(['sea-2.0.0.tgz']);
  expect(refused).toEqual([{ fileName: '1.0.0', why }]);
});

it('takes versions that have only a sha1', () => {
  const { artifacts } = parse({ '1.0.0': version('1.0.0', { dist: dist('1.0.0', { integrity: null }) }) });

  expect(Object.keys(artifacts[0]?.digests ?? {})).toEqual(['sha1']);
});

it.each([
  'https://registry.example/download/1.0.0/abc',
  'https://registry.example/npm/@deep/sea/-/..%2f..%2fx.tgz',
  'https://registry.example/npm/other/-/x.tgz',
])('gives a tarball at %s the usual path', (tarball) => {
  expect(parse({ '1.0.0': version('1.0.0', { dist: dist('1.0.0', { tarball }) }) }).artifacts[0]?.path).toBe('@deep/sea/-/sea-1.0.0.tgz');
});

describe('what upstream may send', () => {
  it('names of members of every object are not versions', () => {
    const { refused } = parseText(
      `{"name":"@deep/sea","versions":{"__proto__":${JSON.stringify(version('1.0.0'))},"constructor":{},"1.0.0":{"name":"other","version":"1.0.0"},"v2.0.0":{}}}`,
    );

    expect(refused.map(({ fileName }) => fileName)).toEqual(['__proto__', 'constructor', '1.0.0', 'v2.0.0']);
  });

  it('two versions are not one tarball', () => {
    const { artifacts, refused } = parse({ '1.0.0': version('1.0.0'), '2.0.0': version('2.0.0', { dist: dist('1.0.0') }) });

    expect([artifacts.length, refused]).toEqual([1, [{ fileName: '2.0.0', why: 'its tarball is that of another version' }]]);
  });

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['another package', '{"name":"other","versions":{}}'],
    ['no name', '{"versions":{}}'],
    ['a version that is no JSON', '{"name":"@deep/sea","versions":{"1.0.0":{"name":"@deep/sea",}}}'],
    ['a hundred thousand versions more than once', `{"name":"@deep/sea","versions":{${'"":1,'.repeat(101_001)}"":1}}`],
    ['half of it', JSON.stringify({ name: '@deep/sea', versions: { '1.0.0': version('1.0.0') } }).slice(0, -40)],
    ['a tower', `{"name":"@deep/sea","x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('%s is malformed', (_, text) => {
    expect(() => parseText(text)).toThrow(EcosystemError);
  });

  it('brackets in strings have no depth', () => {
    expect(parse({}, { readme: `"\\${'['.repeat(5000)}` }).artifacts).toEqual([]);
  });
});
