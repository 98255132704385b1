import type { PackageView, ViewFile } from '@granary/contract/ecosystem';
import { sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, crateFileName, cratePath, packagePurl } from './names.ts';
import { cargoViews } from './views.ts';

// Spaces, order and unknown members as some registries write them.
const lines = ['1.0.0', '1.1.0'].map(
  (version) => `{"name": "Ember", "vers": "${version}", "deps": [], "features": {}, "cksum": "${sha256(version)}", "yanked": false, "later": {"a": 1}}`,
);
const document = new TextEncoder().encode(`${lines.join('\n')}\n`);
const file = (version: string, more: Partial<ViewFile> = {}): ViewFile => ({
  purl: artifactPurl('Ember', version),
  fileName: crateFileName('Ember', version),
  sha256: sha256(version),
  sizeBytes: 5,
  document: sha256(document),
  path: cratePath('Ember', version),
  companions: [],
  ...more,
});
const view = (files: readonly ViewFile[]): PackageView => ({
  package: packagePurl('Ember'),
  address: 'http://mirror.example/verified/cargo',
  documents: new Map([[sha256(document), { bytes: document, url: 'https://registry.example/em/be/ember', contentType: 'text/plain' }]]),
  document: sha256(document),
  files,
  reconstructed: false,
});
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('a path', () => {
  it.each([
    ['config.json', { type: 'fixed', name: 'config.json' }],
    ['1/a', { type: 'package', package: 'pkg:cargo/a' }],
    ['2/ab', { type: 'package', package: 'pkg:cargo/ab' }],
    ['3/a/abc', { type: 'package', package: 'pkg:cargo/abc' }],
    ['se/rd/serde_json', { type: 'package', package: 'pkg:cargo/serde_json' }],
    [cratePath('Ember', '1.0.0-rc.1+x'), { type: 'artifact', packages: ['pkg:cargo/ember'], path: 'crates/Ember/Ember-1.0.0-rc.1+x.crate' }],
  ])('%s is understood', (asked, route) => {
    expect(cargoViews.route(asked)).toEqual(route);
  });

  it.each(['', '1/ab', '2/a', '3/b/abc', 'se/rd/amber', 'Se/rd/serde', 'se/rd/../x', 'crates/a/b-1.0.0.crate', 'crates/a/a-1.crate', 'crates/a', 'me'])(
    '%j is asked by no client',
    (asked) => {
      expect(cargoViews.route(asked)).toBeUndefined();
    },
  );
});

describe('an index file', () => {
  it('has the lines of what is held as upstream wrote them', () => {
    expect(text(cargoViews.renderPackage(view([file('1.1.0')]), 'text/plain'))).toBe(`${lines[1]}\n`);
  });

  it('lists what upstream removed as yanked, so that resolution avoids it and locks go on', () => {
    const gone = file('1.0.0', { vanishedAt: toInstant(Date.UTC(2026, 0, 2)) });

    const rendered = text(cargoViews.renderPackage(view([gone, file('1.1.0')]), 'text/plain'));

    const [first = '', second] = rendered.split('\n');
    expect(JSON.parse(first)).toEqual({ ...JSON.parse(lines[0] ?? ''), yanked: true });
    expect(second).toBe(lines[1]);
  });

  it('of a time before its oldest document has none that is yanked: nothing tells when it was', () => {
    const yanked = new TextEncoder().encode(lines.map((line) => line.replace('"yanked": false', '"yanked": true')).join('\n'));
    const known = new Map([[sha256(document), { bytes: yanked, url: 'https://registry.example/em/be/ember', contentType: 'text/plain' }]]);
    const of = (reconstructed: boolean) => text(cargoViews.renderPackage({ ...view([file('1.0.0')]), documents: known, reconstructed }, 'text/plain'));

    expect(JSON.parse(of(true))).toEqual(JSON.parse(lines[0] ?? ''));
    expect(JSON.parse(of(false)).yanked).toBe(true);
  });

  it('is refused when its document does not name the file', () => {
    expect(() => cargoViews.renderPackage(view([file('2.0.0')]), 'text/plain')).toThrow(/does not list Ember-2\.0\.0\.crate/);
  });
});

it('says in config.json that crates lie below its own address, where routes find them', () => {
  const { dl } = JSON.parse(text(cargoViews.renderFixed?.('config.json', { address: 'http://mirror.example/verified/cargo', readers: 'anyone' })));

  expect(dl).toBe('http://mirror.example/verified/cargo/crates/{crate}/{crate}-{version}.crate');
});
