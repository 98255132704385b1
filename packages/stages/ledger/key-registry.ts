import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Entry, factKey, type Sha256 } from '@granary/core/model';

/** A key as the ledger's `key-…` facts have it. */
interface RegisteredKey {
  readonly keyId: string;
  /** Key of the newest `key-added` fact, that the next one about it names. */
  readonly fact: Sha256;
  readonly body: Entry['body'];
  readonly role: string;
  /** Kinds of facts that it may author; none for keys that sign other things. */
  readonly kinds: ReadonlySet<string>;
  readonly retiredBy?: Sha256;
}

/** Who may write what, as it stood after the entries learned so far. */
export interface KeyRegistry {
  /** Entries in ledger order; others than `site` and `key-…` are passed over. */
  learn(entry: Entry): void;
  get(keyId: string): RegisteredKey | undefined;
  /** The key that facts of an author verify with; undefined when it is not registered or no Ed25519 key. */
  publicKey(keyId: string): KeyObject | undefined;
  /** Why this author may not write this kind now; undefined when it may. */
  refusal(author: string, kind: string): string | undefined;
}

/** What the sequencer itself states: the author of a log's first entry may write these, registered or not. */
const SEQUENCER_KINDS: ReadonlySet<string> = new Set(['site', 'key-added', 'key-retired']);

/** `author` of the first entry, where it isn't written yet. */
export function keyRegistry(author?: string): KeyRegistry {
  const keys = new Map<string, RegisteredKey>();
  const publicKeys = new Map<string, KeyObject | undefined>();
  let root = author;

  return {
    learn(entry) {
      root ??= entry.author;
      const { kind, subject } = entry;
      const known = keys.get(subject);
      publicKeys.delete(subject);
      if (kind === 'key-added') keys.set(subject, added(entry, known));
      if (kind === 'key-retired' && known !== undefined) keys.set(subject, { ...known, retiredBy: factKey(entry) });
    },
    get: (keyId) => keys.get(keyId),
    publicKey(keyId) {
      if (!publicKeys.has(keyId)) publicKeys.set(keyId, ed25519Of(keys.get(keyId)));
      return publicKeys.get(keyId);
    },
    refusal(author, kind) {
      if (author === root && SEQUENCER_KINDS.has(kind)) return undefined;
      const key = keys.get(author);
      if (key === undefined) return `author ${author} is not registered in this ledger`;
      if (key.retiredBy !== undefined) return `author ${author} (${key.role}) was retired`;
      return key.kinds.has(kind) ? undefined : `author ${author} (${key.role}) may not write ${kind}`;
    },
  };
}

/** A key that was retired stays retired, whatever is said about it later. */
function added(entry: Entry, known: RegisteredKey | undefined): RegisteredKey {
  const { role, kinds } = entry.body;
  return {
    keyId: entry.subject,
    fact: factKey(entry),
    body: entry.body,
    role: typeof role === 'string' ? role : 'no role',
    kinds: new Set(Array.isArray(kinds) ? kinds.filter((kind) => typeof kind === 'string') : []),
    ...(known?.retiredBy === undefined ? {} : { retiredBy: known.retiredBy }),
  };
}

function ed25519Of(key: RegisteredKey | undefined): KeyObject | undefined {
  const pem = key?.body['publicKey'];
  if (typeof pem !== 'string' || !pem.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
  try {
    const parsed = createPublicKey(pem);
    return parsed.asymmetricKeyType === 'ed25519' ? parsed : undefined;
  } catch {
    return undefined;
  }
}
