import { type ObjectKey, pendingKey } from '@granary/core/layout';
import { parseSha256, type Sha256, sha256 } from '@granary/core/model';
import type { SignedFact } from './pending-fact.ts';

/** Some hundred facts of the usual size; at least two of the largest (a fact, its leaf in base64, a signature). */
export const MAX_OBJECT_BYTES = 262_144;
export const MAX_OBJECT_FACTS = 256;
/** A fact, a leaf in base64, a signature. */
export const MAX_LINE_BYTES = 131_072;

const NEWLINE = 0x0a;

/** Facts that are acknowledged together. */
export interface PendingObject {
  readonly key: ObjectKey;
  readonly bytes: Uint8Array;
}

/** Puts facts into as few objects as they fit into, in order: a line each, `\n` between them. */
export function pendingObjects(facts: readonly SignedFact[]): readonly PendingObject[] {
  const objects: PendingObject[] = [];
  let group: SignedFact[] = [];
  let sizeBytes = 0;
  for (const fact of facts) {
    const isFull = group.length === MAX_OBJECT_FACTS || sizeBytes + fact.line.length + 1 > MAX_OBJECT_BYTES;
    if (isFull) objects.push(...objectOf(group));
    if (isFull) [group, sizeBytes] = [[], 0];
    group.push(fact);
    sizeBytes += fact.line.length + 1;
  }
  return [...objects, ...objectOf(group)];
}

/** None of no facts. Named after the first fact and all of the bytes, so that writing the same again is one object. */
function objectOf(facts: readonly SignedFact[]): readonly PendingObject[] {
  const [first] = facts;
  if (first === undefined) return [];
  const bytes = Buffer.concat(facts.flatMap(({ line }, at) => (at === 0 ? [line] : [Uint8Array.of(NEWLINE), line])));
  return [{ key: pendingKey(first.key, sha256(bytes)), bytes }];
}

/** The lines of an object, untrusted; at least one. */
export function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

/** The digests in the name of a pending object: the key of its first fact, and of its bytes. Undefined when its name is none. Until November 2026 they lay in 256 folders. */
export function pendingName(key: ObjectKey): { readonly factKey: Sha256; readonly content: Sha256 } | undefined {
  const [, fact, content] = /^pending\/(?:[0-9a-f]{2}\/)?([0-9a-f]{64})-([0-9a-f]{64})$/.exec(key) ?? [];
  const [parsedFact, parsedContent] = [parseSha256(fact ?? ''), parseSha256(content ?? '')];
  return parsedFact !== undefined && parsedContent !== undefined ? { factKey: parsedFact, content: parsedContent } : undefined;
}
