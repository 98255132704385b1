import type { NoteSigner, RoleSigner } from '@granary/contract/ports';
import { keyAddedFact, ledgerKeyStatement, readLedgerKey } from '@granary/core/bundle';
import type { StateFact } from '@granary/core/model';
import { type SigningPorts, signStatement } from './sign-statement.ts';

export interface PublishedKeys {
  readonly ledger: Pick<NoteSigner, 'verifierKey'>;
  /** Role keys by role. */
  readonly roles: Readonly<Record<string, Pick<RoleSigner, 'keyId' | 'publicKeyPem'>>>;
}

/**
 * The `key-added` facts of a new site, for the first batch of its public ledger. The statement key endorses the ledger's key in an
 * envelope that is stored before the facts name it, so that a verifier who was given only the statement key finds the other.
 */
export async function publishKeys(ports: SigningPorts, { ledger, roles }: PublishedKeys): Promise<readonly StateFact[]> {
  const { signer } = ports;
  const { id: endorsement } = await signStatement(ports, ledgerKeyStatement(readLedgerKey(ledger.verifierKey)));
  return [
    keyAddedFact({ purpose: 'ledger', keyId: ledger.verifierKey, publicKey: ledger.verifierKey, endorsement }),
    keyAddedFact({ purpose: 'statement', keyId: signer.keyId, publicKey: signer.publicKeyPem }),
    ...Object.entries(roles).map(([role, { keyId, publicKeyPem }]) => keyAddedFact({ purpose: 'role', role, keyId, publicKey: publicKeyPem })),
  ];
}
