import { canonicalJson, type Entry, factKey, type Json, type Sha256, sha256 } from '@granary/core/model';

/** Who may write is no outcome; how often somebody looked is none either (DESIGN: without times, order, authors, signatures, durations and polling). */
const LEFT_OUT: ReadonlySet<string> = new Set(['site', 'key-added', 'key-retired', 'polled']);
/** Members that differ between two runs that came to the same result. */
const RUN_MEMBERS: ReadonlySet<string> = new Set(['run']);
/** A signature is random, and so is the hash of the leaf that holds it; place and id of the envelope name the key. */
const SIGNATURE_MEMBERS: ReadonlySet<string> = new Set(['leaf', 'envelope', 'keyId']);

export interface SettledProjection {
  /** Outcome by fact key, in the order of the keys, as canonical JSON `[key, kind, subject, body]`. */
  readonly lines: readonly string[];
  /** Two runs came to the same result exactly when this is the same. */
  readonly digest: Sha256;
}

/** What a run came to: a function of the set of its facts. */
export function settledProjection(entries: Iterable<Entry>): SettledProjection {
  const lines = new Set<string>();
  for (const entry of entries) {
    if (LEFT_OUT.has(entry.kind)) continue;
    lines.add(canonicalJson([factKey(entry), entry.kind, entry.subject, outcomeOf(entry)]));
  }
  const sorted = [...lines].sort();
  return { lines: sorted, digest: sha256(sorted.map((line) => `${line}\n`).join('')) };
}

function outcomeOf({ kind, body }: Entry): { readonly [name: string]: Json } {
  const isKept = (name: string): boolean => !RUN_MEMBERS.has(name) && !(kind === 'attested' && SIGNATURE_MEMBERS.has(name));
  return Object.fromEntries(Object.entries(body).filter(([name]) => isKept(name)));
}
