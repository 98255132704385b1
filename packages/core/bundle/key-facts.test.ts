import { describe, expect, it } from 'vitest';
import { type Fact, sha256 } from '../model/index.ts';
import { verifierKey } from '../tlog/index.ts';
import { keyAddedFact, keyHistory, keyRetiredFact } from './index.ts';

const indexed = (...facts: readonly (readonly [number, Fact])[]) => facts.map(([index, fact]) => ({ index, fact }));
const added = keyAddedFact({ role: 'statement', keyId: 'SHA256:a', publicKey: 'pem' });

describe('the history of keys', () => {
  it('gives a key its range of indexes: from its addition to its retirement', () => {
    const { statementKeys } = keyHistory(indexed([3, added], [9, keyRetiredFact('SHA256:a', 'rotated')]));

    expect(statementKeys.get('SHA256:a')).toEqual({ from: 3, before: 9, reason: 'rotated' });
  });

  it('reaches back where a key was stolen before it was retired, and never forward', () => {
    const range = (validBefore: number) =>
      keyHistory(indexed([3, added], [9, keyRetiredFact('SHA256:a', 'compromised', validBefore)])).statementKeys.get('SHA256:a');

    expect(range(5)?.before).toBe(5);
    expect(range(50)?.before).toBe(9);
  });

  it('never brings a retired key back', () => {
    const again = { ...added, prev: sha256('before') };

    expect(keyHistory(indexed([3, added], [9, keyRetiredFact('SHA256:a', 'lost')], [12, again])).statementKeys.get('SHA256:a')?.before).toBe(9);
  });

  it('lists the ledgers that bring an endorsement along', () => {
    const log = verifierKey('mirror.example', new Uint8Array(32));
    const fact = keyAddedFact({ role: 'ledger', keyId: log.text, publicKey: log.text, endorsement: sha256('envelope') });

    expect(keyHistory(indexed([0, fact])).ledgers).toEqual([{ log, endorsement: sha256('envelope') }]);
  });

  it('takes no role key for a statement key', () => {
    expect(
      keyHistory(indexed([0, { kind: 'key-added', subject: 'SHA256:b', body: { role: 'sync', kinds: ['stored'], publicKey: 'pem' } }])).statementKeys.size,
    ).toBe(0);
  });
});
