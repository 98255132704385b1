import { keyAddedFact, ledgerKeyStatement, readLedgerKey } from '@granary/core/bundle';
import type { StateFact } from '@granary/core/model';
import { type SigningPorts, signStatement } from './sign-statement.ts';

/**
 * The `key-added` facts of the keys that verifiers care for, to stand in the first batch of a new public ledger: its own and the
 * statement key. The statement key endorses the ledger's in an envelope that is stored before the facts name it, so that a verifier
 * who was given only the statement key finds the other.
 */
export async function siteKeyFacts(ports: SigningPorts, ledgerVerifierKey: string): Promise<readonly StateFact[]> {
  const { signer } = ports;
  const { id: endorsement } = await signStatement(ports, ledgerKeyStatement(readLedgerKey(ledgerVerifierKey)));
  return [
    keyAddedFact({ role: 'ledger', keyId: ledgerVerifierKey, publicKey: ledgerVerifierKey, endorsement }),
    keyAddedFact({ role: 'statement', keyId: signer.keyId, publicKey: signer.publicKeyPem }),
  ];
}
