import type { NoteSigner, RoleSigner, StatementSigner } from '@granary/contract/ports';
import { defaultOrigin, formatTrustFile, readLedgerKey } from '@granary/core/bundle';
import { KeyError } from './key-error.ts';
import { hasKeyRing, openKeyRing, type WantedKey } from './key-ring.ts';
import { noteSigner, rawPublicKey, roleSigner, statementSigner } from './signers.ts';

/** Who writes facts; each has a key of its own, so that a ledger says who said what. */
export const ROLES = ['sequencer', 'sync', 'rebuild', 'judge', 'attest', 'operator', 'schedule', 'demand'] as const;
export type Role = (typeof ROLES)[number];

/** All keys of one site. */
export interface SiteKeys {
  readonly statement: StatementSigner;
  readonly ledgers: { readonly public: NoteSigner; readonly private: NoteSigner };
  readonly roles: Readonly<Record<Role, RoleSigner>>;
}
export interface SiteKeysOptions {
  /** Origins that were chosen when the site was made; default: made from the ledger's key. */
  readonly origins?: { readonly public?: string; readonly private?: string };
}

type KeyName = 'statement' | 'ledger-public' | 'ledger-private' | `role-${Role}`;
const WANTED_KEYS: readonly WantedKey<KeyName>[] = [
  { name: 'statement', algorithm: 'ecdsa-p256' },
  { name: 'ledger-public', algorithm: 'ed25519' },
  { name: 'ledger-private', algorithm: 'ed25519' },
  ...ROLES.map((role) => ({ name: `role-${role}`, algorithm: 'ed25519' }) as const),
];

/**
 * Loads the keys of a site from a folder of their own, or makes them the first time: 0600, durable, one file each.
 * Never to be called on a folder in the bucket. Throws KeyError, which says what to do.
 */
export async function openSiteKeys(folder: string, options: SiteKeysOptions = {}): Promise<SiteKeys> {
  const keys = await openKeyRing(folder, WANTED_KEYS);
  const ledger = (name: 'public' | 'private') => {
    const key = keys(`ledger-${name}`);
    return withOrigin(noteSigner(key, options.origins?.[name] ?? defaultOrigin(rawPublicKey(key))));
  };
  const role = (name: Role) => roleSigner(keys(`role-${name}`));
  return {
    statement: statementSigner(keys('statement')),
    ledgers: { public: ledger('public'), private: ledger('private') },
    roles: {
      sequencer: role('sequencer'),
      sync: role('sync'),
      rebuild: role('rebuild'),
      judge: role('judge'),
      attest: role('attest'),
      operator: role('operator'),
      schedule: role('schedule'),
      demand: role('demand'),
    },
  };
}

/** Whether the folder holds the keys of a site: who must not make another site asks before it opens them. */
export async function hasSiteKeys(folder: string): Promise<boolean> {
  return await hasKeyRing(folder);
}

/** Text of `granary.pub`, for those who verify: the key of the public ledger, then the PEM of the statement key. */
export function exportPublicKey({ statement, ledgers }: Pick<SiteKeys, 'statement' | 'ledgers'>): string {
  const { keyId, publicKeyPem: pem } = statement;
  return formatTrustFile({ statementKeys: [{ keyId, pem }], ledgers: [readLedgerKey(ledgers.public.verifierKey)] });
}

function withOrigin(signer: NoteSigner): NoteSigner {
  try {
    readLedgerKey(signer.verifierKey);
    return signer;
  } catch (cause) {
    throw new KeyError('bad-origin', `ledger ${signer.verifierKey.split('+')[0] ?? ''}: an origin is a bare host name in lower case, as in mirror.example`, {
      cause,
    });
  }
}
