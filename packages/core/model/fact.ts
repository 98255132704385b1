import { canonicalJson, type Json, parseCanonicalJson } from './canonical-json.ts';
import { parseSha256, type Sha256, sha256 } from './digest.ts';
import { type Instant, toInstant } from './time.ts';

/** A fact is a few hundred bytes; never above this, in UTF-8. */
export const MAX_FACT_BYTES = 8192;

/** Facts whose key is a function of their input: the first sequenced wins, later ones are dropped and count as success. */
export const COMPUTED_KINDS = ['stored', 'located', 'rebuilt', 'compared', 'verdict', 'attested', 'tried'] as const;
/** Facts about something that changes: each names the one before it. */
export const STATE_KINDS = [
  'site',
  'watched',
  'reader',
  'wanted',
  'observed',
  'vanished',
  'policy',
  'key-added',
  'key-retired',
  'environment',
  'quarantined',
  'released',
] as const;
/** One per run. */
export const RUN_KINDS = ['polled'] as const;

export type ComputedKind = (typeof COMPUTED_KINDS)[number];
export type StateKind = (typeof STATE_KINDS)[number];
export type RunKind = (typeof RUN_KINDS)[number];
export type FactKind = ComputedKind | StateKind | RunKind;

const KNOWN_KINDS: ReadonlySet<string> = new Set<FactKind>([...COMPUTED_KINDS, ...STATE_KINDS, ...RUN_KINDS]);
/** Kinds of the private ledger; all others are public. */
export const PRIVATE_KINDS: ReadonlySet<string> = new Set<FactKind>(['watched', 'wanted', 'reader', 'tried']);

/** What happened, as its author states it; time and order are the sequencer's. */
export type Fact = ComputedFact | StateFact | RunFact;

interface FactBase {
  /** What it is about: a purl, or `site`, a key id, a watch specification. */
  readonly subject: string;
  /** The outcome. `run`, if present, holds what two runs may differ in (durations, logs): it is left out of the settled projection. */
  readonly body: { readonly [name: string]: Json };
}
export interface ComputedFact extends FactBase {
  readonly kind: ComputedKind;
  /** Digests of everything the outcome is a function of. */
  readonly inputs: readonly string[];
  /** 1, or 2 for the second build of the same definition. */
  readonly build?: number;
}
export interface StateFact extends FactBase {
  readonly kind: StateKind;
  /** Key of the previous fact of the same kind and subject; absent on the first. */
  readonly prev?: Sha256;
}
export interface RunFact extends FactBase {
  readonly kind: RunKind;
  /** Unique per run. */
  readonly run: string;
}

/** One leaf of a ledger that is a fact: `{"granary":1, …}` in RFC 8785 form. */
export type Entry = Fact & { readonly granary: 1; readonly author: string; readonly at: Instant };

/** Identity of a fact. Outcomes are not part of a computed fact's key; author, time and `body.run` are part of none, so that a run that was killed says the same again. */
export function factKey(fact: Fact): Sha256 {
  const { kind, subject } = fact;
  if ('inputs' in fact) return sha256(canonicalJson([kind, subject, [...fact.inputs], fact.build ?? 1]));
  if ('run' in fact) return sha256(canonicalJson([kind, subject, fact.run]));
  return sha256(canonicalJson([kind, subject, fact.prev ?? '', withoutRun(fact.body)]));
}

function withoutRun(body: Fact['body']): Fact['body'] {
  return 'run' in body ? Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'run')) : body;
}

export function isComputed(fact: Fact): fact is ComputedFact {
  return COMPUTED_KINDS.some((kind) => kind === fact.kind);
}
export function isState(fact: Fact): fact is StateFact {
  return STATE_KINDS.some((kind) => kind === fact.kind);
}

/** Canonical bytes of an entry; throws RangeError when above {@link MAX_FACT_BYTES}. */
export function encodeEntry(fact: Fact, author: string, at: Instant): Uint8Array {
  const bytes = new TextEncoder().encode(canonicalJson({ ...factJson(fact), granary: 1, author, at }));
  if (bytes.length > MAX_FACT_BYTES) throw new RangeError(`${fact.kind} ${fact.subject}: ${bytes.length} bytes, a fact has at most ${MAX_FACT_BYTES}`);
  return bytes;
}

export function factJson(fact: Fact): { readonly [name: string]: Json } {
  const { kind, subject, body } = fact;
  const common = { kind, subject, body };
  if ('inputs' in fact) return { ...common, inputs: fact.inputs, ...(fact.build === undefined ? {} : { build: fact.build }) };
  if ('run' in fact) return { ...common, run: fact.run };
  return { ...common, ...(fact.prev === undefined ? {} : { prev: fact.prev }) };
}

/**
 * What a leaf holds. `unknown-optional` kinds are kept and counted; `unknown-critical` ones
 * (`"critical":true`) make a node not ready. `foreign` is a leaf that is not a fact, such as the
 * Rekor-shaped leaf of a signed statement. `malformed` is refused.
 */
export type DecodedLeaf =
  | { readonly type: 'entry'; readonly entry: Entry }
  | { readonly type: 'unknown-optional' | 'unknown-critical'; readonly kind: string }
  | { readonly type: 'foreign'; readonly value: Json }
  | { readonly type: 'malformed'; readonly why: string };

export function decodeLeaf(bytes: Uint8Array): DecodedLeaf {
  if (bytes.length > 65_535) return { type: 'malformed', why: 'longer than an entry bundle can hold' };
  const text = decodeUtf8(bytes);
  const value = text === undefined ? undefined : parseCanonicalJson(text);
  if (value === undefined) return { type: 'malformed', why: 'not in RFC 8785 form' };
  if (!isObject(value) || value['granary'] === undefined) return { type: 'foreign', value };
  if (value['granary'] !== 1) return { type: 'unknown-critical', kind: `format ${String(value['granary'])}` };
  return decodeEntry(value, bytes.length);
}

/** Parses the JSON form of a fact ({@link factJson}); undefined when it is none of ours. */
export function parseFact(value: Json): Fact | undefined {
  if (!isObject(value)) return undefined;
  const { kind, subject, body, inputs, build, prev, run } = value;
  if (typeof kind !== 'string' || typeof subject !== 'string' || !isObject(body)) return undefined;
  const computed = COMPUTED_KINDS.find((known) => known === kind);
  if (computed !== undefined) {
    if (!isStrings(inputs)) return undefined;
    if (build !== undefined && typeof build !== 'number') return undefined;
    return { kind: computed, subject, inputs, body, ...(build === undefined ? {} : { build }) };
  }
  const state = STATE_KINDS.find((known) => known === kind);
  if (state !== undefined) {
    const parsed = typeof prev === 'string' ? parseSha256(prev) : undefined;
    if (prev !== undefined && parsed === undefined) return undefined;
    return { kind: state, subject, body, ...(parsed === undefined ? {} : { prev: parsed }) };
  }
  const once = RUN_KINDS.find((known) => known === kind);
  return once !== undefined && typeof run === 'string' ? { kind: once, subject, body, run } : undefined;
}

function decodeEntry(value: { readonly [name: string]: Json }, length: number): DecodedLeaf {
  const { kind, author, at, critical } = value;
  if (length > MAX_FACT_BYTES) return { type: 'malformed', why: `a fact of ${length} bytes` };
  if (typeof kind !== 'string' || typeof author !== 'string' || typeof at !== 'string') return { type: 'malformed', why: 'kind, author or at is missing' };
  const instant = parseStamp(at);
  if (instant === undefined) return { type: 'malformed', why: `at is ${JSON.stringify(at)}` };
  if (!KNOWN_KINDS.has(kind)) {
    return { type: critical === true ? 'unknown-critical' : 'unknown-optional', kind };
  }
  const fact = parseFact(value);
  return fact === undefined
    ? { type: 'malformed', why: `${kind} without what that kind needs` }
    : { type: 'entry', entry: { ...fact, granary: 1, author, at: instant } };
}

/** Strict: what is replaced or dropped while decoding (a byte order mark is) would make two leaves of one entry. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** As the sequencer writes it, and in no other form of RFC 3339. */
function parseStamp(text: string): Instant | undefined {
  const milliseconds = text.length === 24 ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) return undefined;
  const instant = toInstant(milliseconds);
  return instant === text ? instant : undefined;
}

function isStrings(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
