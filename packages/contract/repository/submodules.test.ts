import { encodeEntry, type Purl, sha256, toInstant, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { memoryCatalog } from '../memory/index.ts';
import { submodulesOf } from './submodules.ts';

const named = (name: string): Purl => toPurl(`pkg:git/forge.example/owner/${name}`);

/** A ledger in which each repository names others. */
function openCatalog(names: Readonly<Record<string, readonly string[]>>) {
  const catalog = memoryCatalog();
  for (const [name, others] of Object.entries(names)) {
    const body = {
      document: sha256(name),
      sizeBytes: 1,
      mediaType: 'x',
      url: 'x',
      outside: { submodules: others.map((other) => (other.includes(':') ? other : named(other))) },
    };
    const bytes = encodeEntry({ kind: 'observed', subject: named(name), body }, 'author', toInstant(0));
    catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes }]);
  }
  return catalog;
}

it('submodules are followed three deep, nearest first', () => {
  const catalog = openCatalog({ a: ['b', 'c'], b: ['d'], c: ['e'], d: ['f'], f: ['g'] });

  expect(submodulesOf(catalog, named('a'))).toEqual(['b', 'c', 'd', 'e', 'f'].map(named));
  expect(submodulesOf(catalog, named('g'))).toEqual([]);
});

it('circles end, and nobody is a submodule of itself', () => {
  const catalog = openCatalog({ a: ['a', 'b'], b: ['a', 'c', 'b'], c: ['b', 'a'] });

  expect(submodulesOf(catalog, named('a'))).toEqual(['b', 'c'].map(named));
});

it('there are at most a hundred of one repository, at all depths together', () => {
  const many = (prefix: string) => Array.from({ length: 60 }, (_, at) => `${prefix}${at}`);
  const catalog = openCatalog({ a: many('x'), x0: many('y'), x1: many('z') });

  const found = submodulesOf(catalog, named('a'));

  expect(found).toHaveLength(100);
  expect(found.slice(0, 61)).toEqual([...many('x'), 'y0'].map(named));
});

it('what is no repository, in a ledger of somebody else, is none', () => {
  const catalog = openCatalog({ a: ['pkg:npm/x', 'pkg:git/forge.example/-x', 'pkg:git/x', 'b'] });

  expect(submodulesOf(catalog, named('a'))).toEqual([named('b')]);
});
