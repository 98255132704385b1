import { toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { followEachTurn, RevisionCache } from './revision-cache.ts';

function counting() {
  const state = { revision: 1, packageRevision: 1, now: 0, derived: 0 };
  const catalog = { revision: () => state.revision, revisionOf: () => state.packageRevision };
  const cache = new RevisionCache<number>({ catalog, clock: { now: () => toInstant(state.now), sleep: async () => undefined } }, 100_000);
  const derive = () => {
    state.derived += 1;
    return { value: state.derived, sizeBytes: 10 };
  };
  return { state, cache, derive };
}

it('derives again only when a fact about the package was folded', () => {
  const { state, cache, derive } = counting();
  const get = () => cache.get('k', { package: 'p' }, derive);

  const values = [get(), get()];
  state.revision = 2;
  values.push(Number(get()));
  state.revision = 3;
  state.packageRevision = 2;
  values.push(Number(get()));
  state.revision = 4;
  values.push(Number(get()));

  expect(values).toEqual([1, 1, 1, 2, 2]);
});

it('derives what rests on the whole catalog with every fact, and what is fixed never again', () => {
  const { state, cache, derive } = counting();

  expect([cache.get('a', 'catalog', derive), cache.get('b', 'fixed', derive)]).toEqual([1, 2]);
  state.revision = 2;
  expect([cache.get('a', 'catalog', derive), cache.get('b', 'fixed', derive)]).toEqual([3, 2]);
});

it('derives again when time has run out', () => {
  const { state, cache, derive } = counting();
  const get = () => cache.get('k', 'fixed', () => ({ ...derive(), until: 1000 }));

  const before = get();
  state.now = 1000;

  expect([before, get()]).toEqual([1, 2]);
});

it('derives once for all who ask at the same time, but not for those who know of a newer fact', async () => {
  const { state, cache, derive } = counting();
  const late = async () => {
    const derived = derive();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return derived;
  };

  const first = cache.get('k', { package: 'p' }, late);
  const joined = cache.get('k', { package: 'p' }, late);
  state.revision = 2;
  state.packageRevision = 2;
  const newer = cache.get('k', { package: 'p' }, late);

  expect(await Promise.all([first, joined, newer])).toEqual([1, 1, 2]);
  expect(await cache.get('k', { package: 'p' }, late)).toBe(2);
});

it('keeps no failure', async () => {
  const { cache, derive } = counting();

  await expect(cache.get('k', 'fixed', () => Promise.reject(new Error('disk')))).rejects.toThrow('disk');

  expect(cache.get('k', 'fixed', derive)).toBe(1);
});

it('asks for the revision once per turn', async () => {
  const { state } = counting();
  const { catalog } = followEachTurn({
    catalog: { revision: () => state.revision, revisionOf: () => 0 },
    clock: { now: () => toInstant(0), sleep: async () => undefined },
  });

  const before = catalog.revision();
  state.revision = 2;
  const sameTurn = catalog.revision();
  await new Promise(setImmediate);

  expect([before, sameTurn, catalog.revision()]).toEqual([1, 1, 2]);
});
