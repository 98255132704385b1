import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { packagePurl } from './names.ts';
import { cargoIndex } from './upstream.ts';

const line = (more: object) =>
  JSON.stringify({ name: 'Ember', vers: '1.0.0', deps: [], cksum: sha256('a'), features: {}, yanked: false, pubtime: '2023-03-04T05:06:07Z', ...more });
const parse = (text: string) =>
  cargoIndex.parse(new TextEncoder().encode(text), { url: 'https://registry.example/em/be/ember', contentType: 'text/plain', package: packagePurl('Ember') });
const address = (config: string, text = line({})) => {
  const [artifact] = parse(text).artifacts;
  if (artifact === undefined) throw new Error('no artifact');
  return cargoIndex.files?.addressOf(artifact, new TextEncoder().encode(config));
};

describe('an index file', () => {
  it('names the crates of a package, checked by their sha256', () => {
    const { artifacts, refused } = parse(`${line({})}\n${line({ vers: '1.1.0-rc.1+x', cksum: sha256('b'), yanked: true, pubtime: undefined })}\n`);

    expect(refused).toEqual([]);
    expect(artifacts).toEqual([
      {
        purl: 'pkg:cargo/ember@1.0.0?file_name=Ember-1.0.0.crate',
        fileName: 'Ember-1.0.0.crate',
        path: 'crates/Ember/Ember-1.0.0.crate',
        digests: { sha256: sha256('a') },
        maxBytes: 512 * 2 ** 20,
        url: 'https://registry.example/em/be/ember',
        yanked: false,
        publishedAt: '2023-03-04T05:06:07.000Z',
        evidence: [{ check: 'index-sha256', state: 'checked' }],
        companions: [],
      },
      expect.objectContaining({ purl: 'pkg:cargo/ember@1.1.0-rc.1+x?file_name=Ember-1.1.0-rc.1%2Bx.crate', yanked: true }),
    ]);
  });

  it.each([
    ['{"name":', 'not what an index says of a version'],
    ['[]', 'not what an index says of a version'],
    [line({ vers: '../../1.0.0' }), 'not a semantic version'],
    [line({ vers: '1.0' }), 'not a semantic version'],
    [line({ name: '../ember' }), 'not the name of a crate'],
    [line({ name: 'amber' }), 'of another crate'],
    [line({ cksum: 'none' }), 'no sha256 in the index'],
    [line({ vers: '0.9.0' }), '0.9.0 is listed twice'],
  ])('with a line that cannot be taken in says why: %s', (bad, why) => {
    const { artifacts, refused } = parse(`${line({ vers: '0.9.0' })}\n${bad}`);

    expect(artifacts).toHaveLength(1);
    expect(refused).toEqual([expect.objectContaining({ why })]);
  });

  it('that is none at all is refused, so that an error page never counts as a deletion', () => {
    expect(() => parse('<html>gateway error</html>')).toThrow(/not a line names a version/);
    expect(() => parse('')).toThrow(/not a line names a version/);
  });
});

describe('the address of a document', () => {
  it.each([
    ['a', '1/a'],
    ['Ab', '2/ab'],
    ['abc', '3/a/abc'],
    ['Serde_JSON', 'se/rd/serde_json'],
  ])('of %s is %s below the index', (name, path) => {
    expect(cargoIndex.documentUrl('https://registry.example/index', packagePurl(name))).toBe(`https://registry.example/index/${path}`);
  });
});

describe('the address of a crate', () => {
  it.each([
    ['https://files.registry.example/api/v1/crates', 'https://files.registry.example/api/v1/crates/Ember/1.0.0/download'],
    [
      'https://files.registry.example/{prefix}/{lowerprefix}/{crate}/{crate}-{version}.crate',
      'https://files.registry.example/Em/be/em/be/Ember/Ember-1.0.0.crate',
    ],
    ['https://files.registry.example/{sha256-checksum}', `https://files.registry.example/${sha256('a')}`],
  ])('follows dl: %s', (dl, url) => {
    expect(cargoIndex.files?.documentUrl('https://registry.example/index/')).toBe('https://registry.example/index/config.json');
    expect(address(JSON.stringify({ dl }))).toBe(url);
  });

  it.each(['{}', 'not JSON', '{"dl":"file:///etc/passwd"}', '{"dl":7}'])('is refused where dl is none: %s', (config) => {
    expect(() => address(config)).toThrow(/config\.json of the index/);
  });
});
