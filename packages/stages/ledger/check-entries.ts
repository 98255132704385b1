import { decodeLeaf, type Entry, factKey, type Instant, isState, type Sha256 } from '@granary/core/model';
import { leafHash } from '@granary/core/tlog';
import { type KeyRegistry, keyRegistry } from './key-registry.ts';
import type { ProblemList } from './ledger-problem.ts';

export interface EntryRules {
  readonly origin: string;
  readonly verifierKey: string;
}
/** Holds entries, in ledger order, against what the sequencer promises about them. */
export interface EntryCheck {
  /** Resolves a leaf to the entry it holds, if any; problems go to the list. */
  next(index: number, bytes: Uint8Array): Entry | undefined;
  /** How many entries of each kind there were; leaves of statements count as `statement`. */
  counts(): Readonly<Record<string, number>>;
}

interface Progress {
  readonly rules: EntryRules;
  readonly problems: ProblemList;
  readonly registry: KeyRegistry;
  readonly keys: Map<Sha256, number>;
  readonly newest: Map<string, Sha256>;
  readonly counts: Map<string, number>;
  lastAt: Instant | undefined;
  /** Hash of the leaf before, when that is a statement's, still to be named. */
  statement: string | undefined;
}

export function entryCheck(rules: EntryRules, problems: ProblemList): EntryCheck {
  const progress: Progress = {
    rules,
    problems,
    registry: keyRegistry(),
    keys: new Map(),
    newest: new Map(),
    counts: new Map(),
    lastAt: undefined,
    statement: undefined,
  };
  return {
    next: (index, bytes) => checkLeaf(progress, index, bytes),
    counts: () => Object.fromEntries([...progress.counts].sort()),
  };
}

function checkLeaf(progress: Progress, index: number, bytes: Uint8Array): Entry | undefined {
  const { problems } = progress;
  const decoded = decodeLeaf(bytes);
  const entry = decoded.type === 'entry' ? decoded.entry : undefined;
  count(progress, entry?.kind ?? (decoded.type === 'foreign' ? 'statement' : 'unknown'));
  checkStatement(progress, index, entry);
  progress.statement = decoded.type === 'foreign' ? Buffer.from(leafHash(bytes)).toString('hex') : undefined;
  if (index === 0) checkSite(progress, entry);
  if (decoded.type === 'malformed') problems.add({ code: 'entry', index, message: `entry ${index} is ${decoded.why}` });
  if (decoded.type === 'unknown-critical') {
    problems.add({ code: 'unknown-critical', index, message: `entry ${index} is of the critical kind ${decoded.kind}, which this version does not know` });
  }
  if (entry !== undefined) checkEntry(progress, index, entry);
  return entry;
}

/** A statement's leaf stands right before the fact that names it, and nowhere else. */
function checkStatement({ statement, problems }: Progress, index: number, entry: Entry | undefined): void {
  const named = entry?.kind === 'attested' ? String(entry.body['leaf']) : undefined;
  if (named === statement) return;
  if (named === undefined)
    problems.add({ code: 'leaf', index: index - 1, message: `entry ${index - 1} is the leaf of a statement, but no attested fact follows` });
  else
    problems.add({
      code: 'leaf',
      index,
      message: `entry ${index} names the leaf ${named}, but the entry before it is ${statement ?? 'no leaf of a statement'}`,
    });
}

function checkSite({ rules, problems }: Progress, entry: Entry | undefined): void {
  const { origin, verifierKey } = entry?.kind === 'site' ? entry.body : {};
  if (origin === rules.origin && verifierKey === rules.verifierKey) return;
  problems.add({ code: 'site', index: 0, message: `entry 0 does not say that this is the log ${rules.origin} with the key that was given` });
}

function checkEntry(progress: Progress, index: number, entry: Entry): void {
  const { problems, registry, keys } = progress;
  const key = factKey(entry);
  const earlier = keys.get(key);
  if (earlier !== undefined)
    problems.add({ code: 'key-reused', index, message: `entry ${index} has the key of entry ${earlier}: ${entry.kind} ${entry.subject}` });
  else keys.set(key, index);
  checkChain(progress, { index, entry, key });
  if (progress.lastAt !== undefined && entry.at < progress.lastAt) {
    problems.add({ code: 'time', index, message: `entry ${index} is of ${entry.at}, after an entry of ${progress.lastAt}` });
  } else {
    progress.lastAt = entry.at;
  }
  if (index === 0) registry.learn(entry);
  const unauthorized = registry.refusal(entry.author, entry.kind);
  if (unauthorized !== undefined) problems.add({ code: 'author', index, message: `entry ${index}: ${unauthorized}` });
  else if (index > 0) registry.learn(entry);
}

function checkChain({ newest, problems }: Progress, { index, entry, key }: { readonly index: number; readonly entry: Entry; readonly key: Sha256 }): void {
  if (!isState(entry)) return;
  const place = `${entry.kind} ${entry.subject}`;
  const before = newest.get(place);
  if (entry.prev !== before) {
    problems.add({
      code: 'stale-prev',
      index,
      message: `entry ${index}: prev is ${entry.prev ?? 'absent'}, but the ${place} before it is ${before ?? 'none'}`,
    });
  }
  newest.set(place, key);
}

function count({ counts }: Progress, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
