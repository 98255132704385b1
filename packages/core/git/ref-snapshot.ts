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
export type RefDocument =
  | { readonly type: 'whole'; readonly state: RefState }
  | {
      readonly type: 'delta';
      /** Digest of the bytes of the document before. */
      readonly base: Sha256;
      /** Refs that are new or name something else, and what those come to that name a tag. `head` is that of afterwards. */
      readonly set: RefState;
      readonly gone: readonly string[];
    };

/** Larger documents are neither written nor read: a million refs of usual length stay below. */
export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;

/**
 * Canonical JSON of the whole state: the same refs give the same bytes. Throws GitFormatError `too-large` above MAX_SNAPSHOT_BYTES.
 * @example {"granary":1,"head":"refs/heads/main","objectFormat":"sha1","peeled":{},"refs":{"refs/heads/main":"…"},"type":"git-refs"}
 */
export function encodeSnapshot({ objectFormat, head, refs, peeled }: RefState): Uint8Array {
  return encode({ granary: 1, ...(head === undefined ? {} : { head }), objectFormat, peeled: inOrder(peeled), refs: inOrder(refs), type: 'git-refs' });
}

/**
 * What to write instead of the whole, where `base` is the document of `before`: `gone` and `set` in place of `refs`. Throws GitFormatError as
 * {@link encodeSnapshot}, RangeError when the object formats differ: that is another repository.
 */
export function encodeDelta(base: Sha256, before: RefState, after: RefState): Uint8Array {
  const { objectFormat, head } = after;
  if (before.objectFormat !== objectFormat) throw new RangeError(`refs: no delta from objects of format ${before.objectFormat} to ${objectFormat}`);
  const set = new Map([...after.refs].filter(([name, id]) => before.refs.get(name) !== id || before.peeled.get(name) !== after.peeled.get(name)));
  const peeled = new Map([...after.peeled].filter(([name]) => set.has(name)));
  const gone = [...before.refs.keys()].filter((name) => !after.refs.has(name)).toSorted();
  return encode({
    base,
    gone,
    granary: 1,
    ...(head === undefined ? {} : { head }),
    objectFormat,
    peeled: inOrder(peeled),
    set: inOrder(set),
    type: 'git-refs',
  });
}

/** Reads bytes of a store that may belong to others: nothing is taken that `encodeSnapshot` or `encodeDelta` doesn't write. Throws GitFormatError. */
export function decodeSnapshot(bytes: Uint8Array): RefDocument {
  if (bytes.length > MAX_SNAPSHOT_BYTES) throw new GitFormatError('too-large', `snapshot of refs: more than ${MAX_SNAPSHOT_BYTES} bytes`);
  const { data } = Document.safeParse(parseCanonicalJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), 3));
  if (data === undefined) throw malformed('not in its form');
  const { objectFormat, head } = data;
  const refs = idsOf('refs' in data ? data.refs : data.set, objectFormat);
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
export function applyDelta(before: { readonly digest: Sha256; readonly state: RefState }, delta: Extract<RefDocument, { readonly type: 'delta' }>): RefState {
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
  if (refs.size > MAX_REFS) throw new GitFormatError('too-many', `snapshot of refs: more than ${MAX_REFS}`);
  return { objectFormat: set.objectFormat, refs, peeled, ...(set.head === undefined ? {} : { head: set.head }) };
}

const RefName = z.string().refine(isRefName);
const Listed = z.union([RefName, z.literal('HEAD')]);
const Ids = z.record(z.string(), z.string());
const shared = { granary: z.literal(1), type: z.literal('git-refs'), objectFormat: z.enum(OBJECT_FORMATS), head: RefName.optional(), peeled: Ids };
const Document = z.union([
  z.strictObject({ ...shared, refs: Ids }),
  z.strictObject({
    ...shared,
    base: z.string().transform((text, context) => parseSha256(text) ?? refuse(context)),
    set: Ids,
    gone: z.array(Listed).max(MAX_REFS),
  }),
]);

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'not a digest' });
  return z.NEVER;
}

function idsOf(entries: Readonly<Record<string, string>>, format: ObjectFormat): ReadonlyMap<string, ObjectId> {
  const ids = new Map<string, ObjectId>();
  for (const [name, text] of Object.entries(entries)) {
    const id = parseObjectId(text, format);
    if (id === undefined || !(name === 'HEAD' || isRefName(name))) throw malformed(`${JSON.stringify(name.slice(0, 80))} is no ref, or names no object`);
    ids.set(name, id);
  }
  if (ids.size > MAX_REFS) throw new GitFormatError('too-many', `snapshot of refs: more than ${MAX_REFS}`);
  return ids;
}

function inOrder(ids: ReadonlyMap<string, ObjectId>): Readonly<Record<string, string>> {
  return Object.fromEntries([...ids].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function encode(document: Parameters<typeof canonicalJson>[0]): Uint8Array {
  const bytes = Buffer.from(canonicalJson(document));
  if (bytes.length > MAX_SNAPSHOT_BYTES) throw new GitFormatError('too-large', `snapshot of refs: more than ${MAX_SNAPSHOT_BYTES} bytes`);
  return bytes;
}

function malformed(why: string): GitFormatError {
  return new GitFormatError('malformed', `snapshot of refs: ${why}`);
}
