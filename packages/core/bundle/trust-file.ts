import type { VerifierKey } from '../tlog/index.ts';
import { BundleError } from './bundle-error.ts';
import { readPublicKey, sshFingerprint } from './key-id.ts';
import { readLedgerKey } from './log-key.ts';

/** A key that statements are signed with, as a verifier knows it. */
export interface StatementKey {
  readonly keyId: string;
  readonly pem: string;
}
/** Whom a verifier trusts. */
export interface TrustFile {
  readonly statementKeys: readonly [StatementKey, ...StatementKey[]];
  /** Empty for a bare PEM: then a ledger counts whose key one of the statement keys endorsed. */
  readonly ledgers: readonly VerifierKey[];
}

/** Far more than any site has keys. */
const MAX_TRUST_FILE_CHARS = 65_536;
const PEM_BLOCK = /-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----\n?/g;

/**
 * `granary.pub`: lines `ledger <vkey>`, then PEM. One file for all: openssl and cosign skip what stands before the first
 * PEM block, so it is also the file for `cosign --key`.
 */
export function formatTrustFile({ statementKeys, ledgers }: TrustFile): string {
  const lines = ledgers.map((ledger) => `ledger ${ledger.text}\n`);
  return `# Public keys of a Granary: of its ledgers, and of its statements.\n${lines.join('')}${statementKeys.map(({ pem }) => pem).join('')}`;
}

/** Parses a trust file or a bare PEM; throws BundleError `bad-trust-file` or `bad-key`. */
export function parseTrustFile(text: string): TrustFile {
  if (text.length > MAX_TRUST_FILE_CHARS) throw new BundleError('bad-trust-file', `public key file: more than ${MAX_TRUST_FILE_CHARS} characters`);
  const [first, ...others] = (text.match(PEM_BLOCK) ?? []).map(toStatementKey);
  if (first === undefined) throw new BundleError('bad-trust-file', 'public key file: no -----BEGIN PUBLIC KEY----- block in it');
  return { statementKeys: [first, ...others], ledgers: text.replace(PEM_BLOCK, '').split('\n').flatMap(toLedgers) };
}

function toStatementKey(block: string): StatementKey {
  const pem = readPublicKey(block).export({ format: 'pem', type: 'spki' }).toString();
  return { keyId: sshFingerprint(pem), pem };
}

function toLedgers(line: string): readonly VerifierKey[] {
  const [word, verifierKey, ...rest] = line.trim().split(/\s+/);
  if (word === undefined || word === '' || word.startsWith('#')) return [];
  if (word === 'ledger' && verifierKey !== undefined && rest.length === 0) return [readLedgerKey(verifierKey)];
  throw new BundleError('bad-trust-file', `public key file: line ${JSON.stringify(line.slice(0, 80))}: expected "ledger <verifier key>", a comment or PEM`);
}
