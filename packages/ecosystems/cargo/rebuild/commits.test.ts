import type { Artifact } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, crateFileName } from '../names.ts';
import { crateCommits } from './commits.ts';

const artifact = (name: string, version: string): Artifact => ({
  purl: artifactPurl(name, version),
  fileName: crateFileName(name, version),
  digests: {},
  path: '',
});
const wick = artifact('Wick-oil', '1.2.0');
const read = (text: string) => crateCommits.readManifest('Cargo.toml', new TextEncoder().encode(text));

describe('a tag', () => {
  it('may name a crate with either dash, as its author writes it', () => {
    expect(crateCommits.aliases(artifact('Wick-oil_x', '1.0.0'))).toEqual(['Wick-oil_x', 'Wick-oil-x', 'Wick_oil_x']);
    expect(crateCommits.aliases(artifact('wick', '1.0.0'))).toEqual(['wick']);
  });

  it('may leave out which build a version is of', () => {
    expect(crateCommits.versions(artifact('ash', '0.37.3+1.3.251'))).toEqual(['0.37.3+1.3.251', '0.37.3']);
    expect(crateCommits.versions(wick)).toEqual(['1.2.0']);
  });
});

describe('a manifest', () => {
  it.each([
    ['[package]\nname = "wick-oil"\nversion = "1.2.0"\n', { name: 'wick-oil', version: '1.2.0' }],
    ['[package]\nname = "wick-oil"\nversion.workspace = true\n', { name: 'wick-oil' }],
    ['[package]\nname = "wick-oil"\n', { name: 'wick-oil' }],
  ])('%j says what it says', (text, said) => {
    expect(read(text)).toEqual(said);
  });

  it.each([
    ['of a workspace alone', '[workspace]\nmembers = ["a"]\n'],
    ['that is no TOML', '[package\n'],
    ['whose name is a path', '[package]\nname = "../wick"\nversion = "1.0.0"\n'],
    ['whose name is no text', '[package]\nname = ["wick"]\n'],
    ['whose name is too long', `[package]\nname = "${'w'.repeat(65)}"\n`],
    ['whose version is none', '[package]\nname = "wick"\nversion = "1.0.0/../.."\n'],
    ['whose version is neither said nor left open', '[package]\nname = "wick"\nversion.workspace = false\n'],
    ['that says it in the prototype', '[__proto__]\nname = "wick"\n[__proto__.package]\nname = "wick"\nversion = "1.0.0"\n'],
    ['that is larger than any', `[package]\nname = "wick"\n#${' '.repeat(512 * 1024)}\n`],
    ['of brackets without an end', `[package]\nname = "wick"\nx = ${'['.repeat(400_000)}\n`],
    ['of tables without an end', `[package${'.a'.repeat(200_000)}]\n`],
    ['of bytes that are no text', '\u0000\u0001\u0002'],
  ])('%s is none of a package', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('is of the crate that bears its name, in whatever case', () => {
    expect([{ name: 'wick-oil' }, { name: 'Wick-oil' }, { name: 'wick_oil' }, { name: 'wick' }, {}].map((one) => crateCommits.isOf(wick, one))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a file of a crate', () => {
  it.each([
    ['Wick-oil-1.2.0/src/lib.rs', 'crates/oil', ['crates/oil/src/lib.rs']],
    ['Wick-oil-1.2.0/src/lib.rs', '', ['src/lib.rs']],
    ['Wick-oil-1.2.0/Cargo.toml.orig', 'crates/oil', ['crates/oil/Cargo.toml']],
    ['Wick-oil-1.2.0/LICENSE-MIT', 'crates/oil', ['crates/oil/LICENSE-MIT', 'crates/LICENSE-MIT', 'LICENSE-MIT']],
    ['Wick-oil-1.2.0/README.md', '', ['README.md']],
    ['Wick-oil-1.2.0/doc/README.md', 'crates/oil', ['crates/oil/doc/README.md']],
    ['Wick-oil-1.2.0/tests/Cargo.toml', '', ['tests/Cargo.toml']],
  ])('%s of the package in %j stands in the tree', (entry, directory, places) => {
    expect(crateCommits.placesOf(wick, entry, directory)).toEqual(places);
  });

  it.each(['Cargo.toml', 'Cargo.lock', '.cargo_vcs_info.json'])('%s is written by cargo', (path) => {
    expect(crateCommits.placesOf(wick, `Wick-oil-1.2.0/${path}`, 'crates/oil')).toEqual([]);
  });

  it.each(['Cargo.toml', 'other-1.0.0/Cargo.toml', '../Cargo.lock'])('%s, outside of its folder, is not', (path) => {
    expect(crateCommits.placesOf(wick, path, '')).toEqual([path]);
  });
});
