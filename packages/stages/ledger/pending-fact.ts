import type { RoleSigner } from '@granary/contract/ports';
import { type ObjectKey, pendingKey } from '@granary/core/layout';
import { canonicalJson, type Fact, factJson, factKey, type Json, parseCanonicalJson, parseFact, parseSha256, type Sha256, sha256 } from '@granary/core/model';
import { MAX_LEAF_BYTES } from '@granary/core/tlog';

/** A fact, a leaf in base64, a signature. */
export const MAX_PENDING_BYTES = 131_072;

/** What lies under `pending/`: a fact that its author signed. */
export interface PendingFact {
  readonly author: string;
  readonly fact: Fact;
  /** Ed25519 of the author's role key over {@link signedBytes}. */
  readonly signature: Uint8Array;
  /** Of an `attested` fact: the leaf that goes right before it. */
  readonly leaf?: Uint8Array;
}

/** What an author signs; a leaf is covered by its hash in the body. */
export function signedBytes(fact: Fact): Uint8Array {
  return new TextEncoder().encode(canonicalJson(factJson(fact)));
}

export async function signPending(signer: RoleSigner, fact: Fact, leaf?: Uint8Array): Promise<{ readonly key: ObjectKey; readonly bytes: Uint8Array }> {
  const signature = await signer.sign(signedBytes(fact));
  const bytes = encodePending({ author: signer.keyId, fact, signature, ...(leaf === undefined ? {} : { leaf }) });
  return { key: pendingKey(factKey(fact), sha256(bytes)), bytes };
}

export function encodePending({ author, fact, signature, leaf }: PendingFact): Uint8Array {
  const json = { author, fact: factJson(fact), signature: base64(signature), ...(leaf === undefined ? {} : { leaf: base64(leaf) }) };
  return new TextEncoder().encode(canonicalJson(json));
}

/**
 * Reads untrusted bytes. `foreign-kind` has the form of a fact, of a kind that this version does not sequence.
 */
export type ParsedPending =
  | { readonly type: 'fact'; readonly pending: PendingFact }
  | { readonly type: 'foreign-kind'; readonly kind: string }
  | { readonly type: 'malformed'; readonly why: string };

export function parsePending(bytes: Uint8Array): ParsedPending {
  const value = parseCanonicalJson(new TextDecoder().decode(bytes));
  if (!isObject(value) || !isObject(value['fact'])) return { type: 'malformed', why: 'not canonical JSON of author, fact and signature' };
  const { author, fact: json, signature, leaf } = value;
  const [signed, leafBytes] = [decodeBase64(signature), leaf === undefined ? undefined : decodeBase64(leaf)];
  if (typeof author !== 'string' || signed === undefined) return { type: 'malformed', why: 'author or signature is missing' };
  if (leaf !== undefined && (leafBytes === undefined || leafBytes.length > MAX_LEAF_BYTES))
    return { type: 'malformed', why: 'the leaf is no base64 or too long' };
  const fact = parseFact(json);
  if (fact === undefined) {
    const kind = json['kind'];
    return typeof kind === 'string' ? { type: 'foreign-kind', kind } : { type: 'malformed', why: 'the fact has no kind' };
  }
  return { type: 'fact', pending: { author, fact, signature: signed, ...(leafBytes === undefined ? {} : { leaf: leafBytes }) } };
}

/** The digests in the name of a pending object; undefined when its name is none. Until November 2026 they lay in 256 folders. */
export function pendingName(key: ObjectKey): { readonly factKey: Sha256; readonly content: Sha256 } | undefined {
  const [, fact, content] = /^pending\/(?:[0-9a-f]{2}\/)?([0-9a-f]{64})-([0-9a-f]{64})$/.exec(key) ?? [];
  const [parsedFact, parsedContent] = [parseSha256(fact ?? ''), parseSha256(content ?? '')];
  return parsedFact !== undefined && parsedContent !== undefined ? { factKey: parsedFact, content: parsedContent } : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function decodeBase64(value: Json | undefined): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined;
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
