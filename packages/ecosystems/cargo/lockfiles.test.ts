import { sha256, toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { cargoDemand } from './demand.ts';
import { lockedByCargo } from './lockfiles.ts';

const digest = sha256('crate');
const registry = 'registry+https://registry.example/index';
const entry = (fields: Readonly<Record<string, string>>) =>
  `[[package]]\n${Object.entries(fields)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join('\n')}\n`;
const own = entry({ name: 'app', version: '0.1.0' });

describe('Cargo.lock', () => {
  it.each([
    ['1', `${own}${entry({ name: 'Ember', version: '1.0.0', source: registry })}[metadata]\n"checksum Ember 1.0.0 (${registry})" = "${digest}"\n`],
    ['2', `${own}${entry({ name: 'Ember', version: '1.0.0', source: registry, checksum: digest })}`],
    ['3', `version = 3\n${own}${entry({ name: 'Ember', version: '1.0.0', source: registry, checksum: digest })}`],
    ['4', `version = 4\n${own}${entry({ name: 'Ember', version: '1.0.0', source: 'sparse+https://registry.example/index/', checksum: digest })}`],
  ])('of format %s names crates by their checksums, without the project itself', (_, text) => {
    expect(lockedByCargo('Cargo.lock', text)).toEqual({ pins: [{ name: 'Ember', version: '1.0.0', digests: [{ sha256: digest }] }], notCovered: [] });
  });

  it('says what comes from git, without what its address may hold of secrets', () => {
    const text = `version = 4\n${entry({ name: 'wick', version: '0.2.0', source: 'git+https://me:secret@forge.example/wick.git?branch=main#0123' })}`;

    expect(lockedByCargo('Cargo.lock', text)).toEqual({
      pins: [],
      notCovered: ['wick 0.2.0: comes from git https://forge.example/wick.git, not from a registry'],
    });
  });

  it.each([
    ['version = 5', /format 5; 1 to 4/],
    ['version = 4\n[[package', /Cargo\.lock:2:\d+: not TOML/],
    [entry({ name: '../x', version: '1.0.0', source: registry, checksum: digest }), /no crate of a registry/],
    [entry({ name: 'x', version: '1.0.0/..', source: registry, checksum: digest }), /no crate of a registry/],
    [entry({ name: 'x', version: '1.0.0', source: registry }), /x 1\.0\.0 has no checksum/],
    [`${entry({ name: '__proto__', version: '1.0.0', source: registry })}[metadata]\n__proto__ = "${digest}"\n`, /has no checksum/],
    ['package = 7', /package/],
  ])('is refused where it says nothing usable: %s', (text, why) => {
    expect(() => lockedByCargo('Cargo.lock', text)).toThrow(why);
  });
});

describe('a purl on the watch list', () => {
  const requirements = (text: string) => {
    const wish = cargoDemand.wishOfPurl(text);
    return wish?.type === 'requirements' ? wish.requirements : undefined;
  };

  it.each([
    ['pkg:cargo/serde', ['serde *']],
    ['pkg:cargo/serde@1.0.200', ['serde =1.0.200']],
    ['pkg:cargo/serde@^1', ['serde ^1']],
    ['pkg:cargo/serde@>=1.0.100,<1.0.200', ['serde >=1.0.100,<1.0.200']],
    ['pkg:cargo/serde?vers=vers:cargo/>=1.0.1|<2', ['serde >=1.0.1, <2']],
    ['pkg:cargo/serde?vers=vers:cargo/0.9.15|>=1.0.1|<2|>=3', ['serde =0.9.15', 'serde >=1.0.1, <2', 'serde >=3']],
    ['pkg:pypi/serde', undefined],
  ])('%s means %j', (text, meant) => {
    expect(requirements(text)).toEqual(meant);
  });

  it.each([
    ['pkg:cargo/serde@1.0', /write @\^1\.0/],
    ['pkg:cargo/serde@^x', /neither a version nor a requirement/],
    ['pkg:cargo/a/b', /not the name of a crate/],
    ['pkg:cargo/serde@1.0.0?vers=vers:cargo/1', /not both/],
    ['pkg:cargo/serde?vers=vers:cargo/!=1.0.0', /expected a range/],
    ['pkg:cargo/serde?vers=%E0', /not percent-encoded/],
  ])('%s is refused', (text, why) => {
    expect(() => requirements(text)).toThrow(why);
  });

  it('is read from an SBOM in whatever case it has there', () => {
    const pin = cargoDemand.pinOfPurl(toPurl('pkg:cargo/Inflector@0.11.4'));

    expect(pin).toEqual({ name: 'Inflector', version: '0.11.4' });
    expect(cargoDemand.packageOfPin({ name: 'Inflector', version: '0.11.4' })).toBe('pkg:cargo/inflector');
  });
});
