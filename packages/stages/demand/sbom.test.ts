import { EcosystemError } from '@granary/contract/ecosystem';
import { describe, expect, it } from 'vitest';
import { isSbomName, readSbom } from './sbom.ts';

const SHA256 = 'ab'.repeat(32);
const SHA512 = 'cd'.repeat(64);
const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const cycloneDx = (components: unknown, more: object = {}) => ({ bomFormat: 'CycloneDX', specVersion: '1.6', components, ...more });
const spdx = (packages: unknown, more: object = {}) => ({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', packages, ...more });

describe('an SBOM', () => {
  it.each(['bom.json', 'a/sbom.json', 'product.cdx.json', 'product.spdx.json', 'x/y.bom.json'])('is known by the name %s', (name) => {
    expect(isSbomName(name)).toBe(true);
  });

  it.each(['package.json', 'bom.json.bak', 'carbom.json', '.json', 'bom.xml'])('is not known by the name %s', (name) => {
    expect(isSbomName(name)).toBe(false);
  });

  it('is recognised by what it holds', () => {
    expect(readSbom('inventory.json', bytesOf(cycloneDx([])))).toEqual([]);
    expect(readSbom('inventory.json', bytesOf(spdx([])))).toEqual([]);
    expect(readSbom('inventory.json', bytesOf({ name: 'something else' }))).toBeUndefined();
    expect(readSbom('requirements.txt', bytesOf(cycloneDx([])))).toBeUndefined();
  });

  it.each([
    ['no JSON', 'bom.json', '{'],
    ['JSON of something else', 'bom.json', '[]'],
    ['CycloneDX of another version', 'bom.json', { bomFormat: 'CycloneDX', specVersion: '9.9' }],
    ['SPDX of another version', 'bom.json', { spdxVersion: 'SPDX-2.2' }],
    ['components that are no list', 'bom.json', cycloneDx({ length: 2 })],
    ['a component that is no object', 'bom.json', cycloneDx(['left-pad'])],
    ['a name that is too long', 'bom.json', cycloneDx([{ name: 'x'.repeat(5000) }])],
    ['packages without an id', 'bom.json', spdx([{ name: 'x' }])],
  ])('is refused: %s', (_what, name, content) => {
    expect(() => readSbom(name, bytesOf(content))).toThrow(EcosystemError);
  });
});

describe('CycloneDX', () => {
  it('names its components and theirs, not the product itself', () => {
    const nested = { type: 'library', name: 'outer', purl: 'pkg:tiny/outer@1', components: [{ type: 'library', name: 'inner', purl: 'pkg:tiny/inner@2' }] };
    const read = readSbom('bom.json', bytesOf(cycloneDx([nested], { metadata: { component: { name: 'product', purl: 'pkg:tiny/product@1' } } })));

    expect(read?.map(({ purl }) => purl)).toEqual(['pkg:tiny/outer@1', 'pkg:tiny/inner@2']);
  });

  it('gives digests of distributions, one of each file, and none of what was installed', () => {
    const component = {
      name: 'box',
      purl: 'pkg:tiny/box@1',
      hashes: [{ alg: 'SHA-256', content: '00'.repeat(32) }],
      externalReferences: [
        { type: 'distribution', url: 'x', hashes: [{ alg: 'SHA-256', content: SHA256.toUpperCase() }] },
        {
          type: 'distribution',
          url: 'y',
          hashes: [
            { alg: 'SHA-512', content: SHA512 },
            { alg: 'MD5', content: '0' },
          ],
        },
        { type: 'distribution', url: 'z', hashes: [{ alg: 'SHA-256', content: 'short' }] },
        { type: 'website', url: 'w', hashes: [{ alg: 'SHA-256', content: '11'.repeat(32) }] },
      ],
    };

    expect(readSbom('bom.json', bytesOf(cycloneDx([component])))?.[0]?.digests).toEqual([{ sha256: SHA256 }, { sha512: SHA512 }]);
  });

  it('may name several files in one place, as a list of requirements does', () => {
    const hashes = [SHA256, '12'.repeat(32)].map((content) => ({ alg: 'SHA-256', content }));
    const component = { name: 'box', purl: 'pkg:tiny/box@1', externalReferences: [{ type: 'distribution', url: 'x', hashes }] };

    expect(readSbom('bom.json', bytesOf(cycloneDx([component])))?.[0]?.digests).toEqual([{ sha256: SHA256 }, { sha256: '12'.repeat(32) }]);
  });

  it('is read to a depth and a number that are bounded', () => {
    const deep = `${'{"name":"x","components":['.repeat(100_000)}${']}'.repeat(100_000)}`;

    expect(() => readSbom('bom.json', bytesOf(`{"bomFormat":"CycloneDX","specVersion":"1.4","components":[${deep}]}`))).toThrow(EcosystemError);
    const within = `${'{"name":"x","components":['.repeat(1000)}${']}'.repeat(1000)}`;
    expect(() => readSbom('bom.json', bytesOf(`{"bomFormat":"CycloneDX","specVersion":"1.4","components":[${within}]}`))).toThrow(/more than 64 deep/);
    expect(() => readSbom('bom.json', bytesOf(cycloneDx(Array.from({ length: 50_001 }, () => ({ name: 'x' })))))).toThrow(EcosystemError);
    const many = { name: 'x', components: Array.from({ length: 30_000 }, () => ({ name: 'y' })) };
    expect(() => readSbom('bom.json', bytesOf(cycloneDx([many, many])))).toThrow(/more than 50000 components/);
  });

  it('of keys that mean something to JavaScript takes nothing over', () => {
    const hostile = `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"x","__proto__":{"purl":"pkg:tiny/evil@1"},"constructor":{"prototype":1}}]}`;

    expect(readSbom('bom.json', bytesOf(hostile))).toEqual([{ label: 'x', digests: [] }]);
  });

  it('gives labels that are safe to print', () => {
    const [component] = readSbom('bom.json', bytesOf(cycloneDx([{ name: `\u001b[2J\u202e${'y'.repeat(500)}` }]))) ?? [];

    expect(component?.label).toMatch(/^\?\[2J\?y+$/);
    expect(component?.label.length).toBe(200);
  });
});

describe('SPDX', () => {
  const named = (id: string, purl: string, more: object = {}) => ({
    SPDXID: `SPDXRef-${id}`,
    name: id,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    ...more,
  });

  it('names its packages, with the checksums of what is downloaded', () => {
    const checksums = [
      { algorithm: 'SHA256', checksumValue: SHA256 },
      { algorithm: 'SHA512', checksumValue: SHA512 },
    ];

    expect(readSbom('a.spdx.json', bytesOf(spdx([named('box', 'pkg:tiny/box@1', { checksums })])))).toEqual([
      { label: 'pkg:tiny/box@1', purl: 'pkg:tiny/box@1', digests: [{ sha256: SHA256, sha512: SHA512 }] },
    ]);
  });

  it('leaves the product itself out, and a package without a purl in', () => {
    const relationships = [{ spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-product' }];
    const packages = [named('product', 'pkg:tiny/product@1'), named('box', 'pkg:tiny/box@1'), { SPDXID: 'SPDXRef-other', name: 'other', versionInfo: '3' }];

    expect(readSbom('a.spdx.json', bytesOf(spdx(packages, { relationships })))?.map(({ label }) => label)).toEqual(['pkg:tiny/box@1', 'package other 3']);
  });

  it('has no product that stands apart when it describes all of its packages, or only one', () => {
    const both = [named('one', 'pkg:tiny/one@1'), named('two', 'pkg:tiny/two@1')];

    expect(readSbom('a.spdx.json', bytesOf(spdx(both, { documentDescribes: ['SPDXRef-one', 'SPDXRef-two'] })))).toHaveLength(2);
    expect(readSbom('a.spdx.json', bytesOf(spdx(both.slice(1), { documentDescribes: ['SPDXRef-two'] })))).toHaveLength(1);
  });
});
