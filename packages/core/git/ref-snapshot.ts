import { z } from 'zod';
import { canonicalJson, parseCanonicalJson, parseSha256, type Sha256 } from '../model/index.ts';
import { GitFormatError } from './git-format-error.ts';
import { OBJECT_FORMATS, type ObjectFormat, type ObjectId, parseObjectId } from './object-id.ts';
import { MAX_REFS, type RefListing } from './ref-listing.ts';
import { isRefName } from './ref-name.ts';

/** What a repository's refs were at one time. */
export interface RefState extends RefListing {
  readonly objectFormat: ObjectFormat;
}

/** A document of refs, as it is kept: all of them, or what became different since the document `base`. */
export type RefDocument = { readonly type: 'whole'; readonly state: RefState } | RefDelta;
export interface RefDelta {
  readonly type: 'delta';
  /** Digest of the bytes of the document before. */
  readonly base: Sha256;
  /** Refs that are new or name something else, and what those come to that name a tag. `head` is that of afterwards. */
  readonly set: RefState;
  readonly gone: readonly string[];
}

export interface SnapshotLimits {
  readonly maxBytes: number;
  readonly maxRefs: number;
}
/** Larger documents are neither written nor read. A million refs of usual length stay below. */
const LIMITS: SnapshotLimits = { maxBytes: 256 * 2 ** 20, maxRefs: MAX_REFS };

/**
 * Canonical JSON of the whole state: the same refs give the same bytes. Throws GitFormatError `too-large`, `too-many`.
 * @example {"granary":1,"head":"refs/heads/main","objectFormat":"sha1","peeled":{},"refs":{"refs/heads/main":"…"},"type":"git-refs"}
 */
export function encodeSnapshot({ objectFormat, head, refs, peeled }: RefState, limits = LIMITS): Uint8Array {
  refuseMany(refs.size, limits);
  const document = { granary: 1, ...(head === undefined ? {} : { head }), objectFormat, peeled: inOrder(peeled), refs: inOrder(refs), type: 'git-refs' };
  return refuseLarge(Buffer.from(canonicalJson(document)), limits);
}

/**
 * What to write instead of the whole, where `base` is the document of `before`: `gone` and `set` in place of `refs`. Throws GitFormatError as
 * {@link encodeSnapshot}, RangeError when the object formats differ: that is another repository.
 */
export function encodeDelta(base: Sha256, before: RefState, after: RefState, limits = LIMITS): Uint8Array {
  refuseMany(after.refs.size, limits);
  const { objectFormat, head } = after;
  if (before.objectFormat !== objectFormat) throw new RangeError(`refs: no delta from objects of format ${before.objectFormat} to ${objectFormat}`);
  const set = new Map([...after.refs].filter(([name, id]) => before.refs.get(name) !== id || before.peeled.get(name) !== after.peeled.get(name)));
  const peeled = new Map([...after.peeled].filter(([name]) => set.has(name)));
  const gone = [...before.refs.keys()].filter((name) => !after.refs.has(name)).toSorted();
  const ids = { peeled: inOrder(peeled), set: inOrder(set) };
  const document = { base, gone, granary: 1, ...(head === undefined ? {} : { head }), objectFormat, ...ids, type: 'git-refs' };
  return refuseLarge(Buffer.from(canonicalJson(document)), limits);
}

/** Reads bytes of a store that may belong to others: nothing is taken that `encodeSnapshot` or `encodeDelta` doesn't write. Throws GitFormatError. */
export function decodeSnapshot(bytes: Uint8Array, limits = LIMITS): RefDocument {
  refuseLarge(bytes, limits);
  const { data } = Document.safeParse(parseCanonicalJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), 3));
  if (data === undefined) throw malformed('not in its form');
  const { objectFormat, head } = data;
  const refs = idsOf('refs' in data ? data.refs : data.set, objectFormat);
  refuseMany(refs.size, limits);
  const peeled = idsOf(data.peeled, objectFormat);
  if ([...peeled.keys()].some((name) => !refs.has(name))) throw malformed('it says what a ref comes to that it does not name');
  const state: RefState = { objectFormat, refs, peeled, ...(head === undefined ? {} : { head }) };
  if ('refs' in data) return { type: 'whole', state };
  if (data.gone.some((name, at) => refs.has(name) || name <= (data.gone[at - 1] ?? ''))) throw malformed('refs that are gone stand twice, or out of order');
  return { type: 'delta', base: data.base, set: state, gone: data.gone };
}

/**
 * The state after a delta. `before` is the state of the document with the digest `digest`. Throws GitFormatError `malformed` when the delta was
 * made for another document.
 */
export function applyDelta(before: { readonly digest: Sha256; readonly state: RefState }, delta: RefDelta, limits = LIMITS): RefState {
  const { state, digest } = before;
  const { set, gone } = delta;
  if (delta.base !== digest || set.objectFormat !== state.objectFormat) throw malformed(`a delta on ${delta.base}, applied to ${digest}`);
  const refs = new Map(state.refs);
  const peeled = new Map(state.peeled);
  for (const name of gone) {
    if (!refs.delete(name)) throw malformed(`${JSON.stringify(name)} is gone and was not there`);
    peeled.delete(name);
  }
  for (const [name, id] of set.refs) {
    refs.set(name, id);
    const target = set.peeled.get(name);
    if (target === undefined) peeled.delete(name);
    else peeled.set(name, target);
  }
  refuseMany(refs.size, limits);
  return { objectFormat: set.objectFormat, refs, peeled, ...(set.head === undefined ? {} : { head: set.head }) };
}

const RefName = z.string().refine(isRefName);
const shared = { granary: z.literal(1), type: z.literal('git-refs'), objectFormat: z.enum(OBJECT_FORMATS), head: RefName.optional(), peeled: z.unknown() };
const Document = z.union([
  z.strictObject({ ...shared, refs: z.unknown() }),
  z.strictObject({
    ...shared,
    base: z.string().transform((text, context) => parseSha256(text) ?? refuse(context)),
    set: z.unknown(),
    gone: z.array(z.union([RefName, z.literal('HEAD')])),
  }),
]);

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'not a digest' });
  return z.NEVER;
}

/** Not by zod, whose records leave out a member `__proto__` without a word. */
function idsOf(entries: unknown, format: ObjectFormat): ReadonlyMap<string, ObjectId> {
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) throw malformed('its refs are no object');
  const ids = new Map<string, ObjectId>();
  for (const [name, text] of Object.entries(entries)) {
    const id = typeof text === 'string' ? parseObjectId(text, format) : undefined;
    if (id === undefined || !(name === 'HEAD' || isRefName(name))) throw malformed(`${JSON.stringify(name.slice(0, 80))} is no ref, or names no object`);
    ids.set(name, id);
  }
  return ids;
}

function inOrder(ids: ReadonlyMap<string, ObjectId>): Readonly<Record<string, string>> {
  return Object.fromEntries([...ids].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function refuseMany(count: number, { maxRefs }: SnapshotLimits): void {
  if (count > maxRefs) throw new GitFormatError('too-many', `snapshot of refs: ${count}, at most ${maxRefs}`);
}

function refuseLarge(bytes: Uint8Array, { maxBytes }: SnapshotLimits): Uint8Array {
  if (bytes.length > maxBytes) throw new GitFormatError('too-large', `snapshot of refs: ${bytes.length} bytes, at most ${maxBytes}`);
  return bytes;
}

function malformed(why: string): GitFormatError {
  return new GitFormatError('malformed', `snapshot of refs: ${why}`);
}
