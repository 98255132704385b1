import { sha256 } from '../model/index.ts';
import type { VerifierKey } from '../tlog/index.ts';
import { LEDGER_KEY_TYPE, siteUri } from './names.ts';
import type { Statement } from './statement.ts';

/**
 * By this the statement key vouches for a ledger: whoever trusts the one needs no second key file for the other. Subject is the
 * verifier key as text, so that the digest can be made from the key alone.
 */
export function ledgerKeyStatement(log: VerifierKey): Statement {
  return {
    subject: { name: siteUri(log.name), sha256: sha256(log.text) },
    predicateType: LEDGER_KEY_TYPE,
    predicate: { ledger: log.text },
  };
}
