import {
  type Envelope,
  isSignedBy,
  LEDGER_KEY_TYPE,
  ledgerKeyStatement,
  type ProvableLedger,
  parseStatement,
  payloadDigest,
  readLedgerKey,
  type TrustFile,
} from '@granary/core/bundle';
import { sha256 } from '@granary/core/model';
import { type Checkpoint, openCheckpoint, parseCheckpoint, parseNote, TlogError, type VerifierKey, verifiedTiles } from '@granary/core/tlog';
import type { Mirror, MirrorLedger } from './mirror.ts';
import { VerifyError } from './verify-error.ts';

/** How the key of the ledger came to be trusted. */
export type LedgerTrust = 'pinned' | 'endorsed';
export interface TrustedLedger extends ProvableLedger {
  readonly trust: LedgerTrust;
}

/** The mirror's ledger, its checkpoint signed by a key that the trust file pins or a trusted statement key endorsed. */
export async function trustedLedger(mirror: Mirror, trust: TrustFile): Promise<TrustedLedger> {
  for (const key of trust.ledgers) {
    const ledger = await mirror.ledger(key.name);
    if (ledger !== undefined) return opened(mirror, ledger, key, 'pinned');
  }
  const pinned = trust.ledgers.map((key) => key.name).join(', ');
  if (pinned !== '') throw new VerifyError('ledger-unknown', `${mirror.label}: holds no ledger ${pinned}, which the public key file names`);
  const ledger = await mirror.ledger(undefined);
  if (ledger === undefined) throw new VerifyError('ledger-unknown', `${mirror.label}: holds no ledger`);
  const { origin } = claimed(mirror, ledger);
  const key = (await mirror.endorsements(ledger)).map((envelope) => endorsedKey(envelope, trust)).find((endorsed) => endorsed?.name === origin);
  if (key !== undefined) return opened(mirror, ledger, key, 'endorsed');
  const ids = trust.statementKeys.map(({ keyId }) => keyId).join(', ');
  throw new VerifyError('wrong-key', `${mirror.label}: no endorsement of the ledger ${origin} by ${ids}; is this the public key of that mirror?`);
}

function opened(mirror: Mirror, ledger: MirrorLedger, log: VerifierKey, trust: LedgerTrust): TrustedLedger {
  try {
    const { size, root } = openCheckpoint(ledger.checkpoint, log.name, log);
    return { log, trust, checkpoint: ledger.checkpoint, tiles: verifiedTiles(ledger.read, size, root) };
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause;
    throw new VerifyError('checkpoint-altered', `${mirror.label}: the checkpoint is not what ${log.text} signed: ${cause.message}`, { cause });
  }
}

/** What an unverified checkpoint says: good for asking further, for nothing else. */
function claimed(mirror: Mirror, { checkpoint }: MirrorLedger): Checkpoint {
  try {
    return parseCheckpoint(parseNote(checkpoint).text);
  } catch (cause) {
    throw new VerifyError('checkpoint-altered', `${mirror.label}: the checkpoint cannot be read`, { cause });
  }
}

function endorsedKey(envelope: Envelope, { statementKeys }: TrustFile): VerifierKey | undefined {
  if (!statementKeys.some(({ pem }) => isSignedBy(envelope, pem))) return undefined;
  const { predicateType, predicate } = parseStatement(envelope.payload);
  const text = predicate['ledger'];
  if (predicateType !== LEDGER_KEY_TYPE || typeof text !== 'string') return undefined;
  const key = readLedgerKey(text);
  return payloadDigest(ledgerKeyStatement(key)) === sha256(envelope.payload) ? key : undefined;
}
