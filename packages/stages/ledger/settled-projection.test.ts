import { type Entry, type Fact, factKey, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { settledProjection } from './index.ts';
import { observedFact, polledFact, statement, storedFact } from './test/ledger-site.ts';

const entry = (fact: Fact, author = 'SHA256:one', time = 0): Entry => ({ ...fact, granary: 1, author, at: toInstant(time) });
const key: Fact = { kind: 'key-added', subject: 'SHA256:one', body: { role: 'worker' } };

describe('the settled projection', () => {
  it('is the same for two runs that differ in order, time, author, polling, durations and signatures', () => {
    const { fact } = statement('click');
    const signedAgain: Fact = { ...fact, body: { ...fact.body, leaf: 'other', envelope: sha256('other'), keyId: 'SHA256:other' } };
    const one = [entry(key), entry(storedFact('a', { run: { durationMs: 5 } })), entry(observedFact('x')), entry(polledFact('1')), entry(fact)];
    const other = [entry(signedAgain, 'SHA256:two', 9), entry(observedFact('x')), entry(storedFact('a', { run: { durationMs: 7 } }), 'SHA256:two', 3)];

    expect(settledProjection(one)).toEqual(settledProjection(other));
    expect(settledProjection(one).lines).toHaveLength(3);
  });

  it('is the same for two chains of states whose runs took another time', () => {
    const chain = (durationMs: number): readonly Entry[] => {
      const first: Fact = { kind: 'observed', subject: 'pkg:pypi/click', body: { document: 'x', run: { durationMs } } };
      return [entry(first), entry({ kind: 'observed', subject: 'pkg:pypi/click', body: { document: 'y', run: { durationMs } }, prev: factKey(first) })];
    };

    expect(settledProjection(chain(5))).toEqual(settledProjection(chain(7)));
  });

  it('differs when an outcome, a fact or a chain differs', () => {
    const base = settledProjection([entry(storedFact('a')), entry(observedFact('x'))]).digest;

    expect(settledProjection([entry(storedFact('a', { sizeBytes: 99 })), entry(observedFact('x'))]).digest).not.toBe(base);
    expect(settledProjection([entry(storedFact('a'))]).digest).not.toBe(base);
    expect(settledProjection([entry(storedFact('a')), entry(observedFact('x', factKey(observedFact('y'))))]).digest).not.toBe(base);
  });
});
