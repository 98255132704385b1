import type { Sha256 } from '../model/index.ts';

declare const brand: unique symbol;
/** A path in the archive: relative, `/`-separated, no `.` or `..` segment. Only this module makes one. */
export type ObjectKey = string & { readonly [brand]: 'ObjectKey' };

/** Written once when the archive is made; never changes. */
export const FORMAT_KEY = 'granary.json' as ObjectKey;

export function blobKey(digest: Sha256): ObjectKey {
  return `blobs/sha256/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest}` as ObjectKey;
}

/** `key` = sha256(payload digest, key id). */
export function envelopeKey(key: Sha256): ObjectKey {
  return `envelopes/${key.slice(0, 2)}/${key}` as ObjectKey;
}

export const PENDING_PREFIX = 'pending/';
/** An acknowledged fact that isn't sequenced yet; `content` is the digest of the object. One folder: what lies there goes soon, and who writes at once shares its fsync. */
export function pendingKey(factKey: Sha256, content: Sha256): ObjectKey {
  return `${PENDING_PREFIX}${factKey}-${content}` as ObjectKey;
}

/** Notes of files of one kind of registry that clients have, and the ledger hasn't yet; in the private store. `content` is the digest of the object. */
export function arrivalKey(ecosystem: string, content: Sha256): ObjectKey {
  return checked(`${arrivalPrefix(ecosystem)}${content}`);
}
export function arrivalPrefix(ecosystem: string): string {
  return `arrivals/${ecosystem}/`;
}

/** An acknowledged fact that the sequencer had to refuse, with the reason; `content` is the digest of the object. */
export function refusedKey(factKey: Sha256, content: Sha256): ObjectKey {
  return `refused/${factKey.slice(0, 2)}/${factKey}-${content}` as ObjectKey;
}

/** The signed head, where the lock keeps it in the store; moved by compare-and-swap only. */
export function headKey(origin: string): ObjectKey {
  return ledgerKey(origin, 'head');
}
export function checkpointKey(origin: string): ObjectKey {
  return ledgerKey(origin, 'checkpoint');
}
export function stagingPrefix(origin: string): string {
  return ledgerKey(origin, 'staging/');
}
/** A whole batch before its tiles: tree size after it, and its root hash in hexadecimal. */
export function stagingKey(origin: string, size: number, root: Sha256): ObjectKey {
  return ledgerKey(origin, `staging/${size}-${root}`);
}
/** `path` as C2SP tlog-tiles writes it: `tile/0/x001/234.p/5`, `tile/entries/…`. */
export function tileKey(origin: string, path: string): ObjectKey {
  return ledgerKey(origin, path);
}
export function derivedKey(path: string): ObjectKey {
  return checked(`derived/${path}`);
}

/** Who may read the site, signed, for nodes that see nothing of the private side. */
export const READERS_KEY = 'derived/readers' as ObjectKey;

/** May the object be overwritten or removed? All others are immutable. */
export function isMutable(key: ObjectKey): boolean {
  return /^(pending|arrivals|derived)\//.test(key) || /^ledgers\/[^/]+\/(head|checkpoint|staging\/[^/]+)$/.test(key);
}

/** Keys come back from listings as text. */
export function parseObjectKey(text: string): ObjectKey | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(text) ? (text as ObjectKey) : undefined;
}

function ledgerKey(origin: string, rest: string): ObjectKey {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(origin)) throw new RangeError(`ledger origin ${JSON.stringify(origin)}: expected a bare host name`);
  return `ledgers/${origin}/${rest}` as ObjectKey;
}

function checked(text: string): ObjectKey {
  const key = parseObjectKey(text);
  if (key === undefined) throw new RangeError(`object key ${JSON.stringify(text)}: not a plain relative path`);
  return key;
}
