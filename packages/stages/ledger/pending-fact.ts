import type { RoleSigner } from '@granary/contract/ports';
import { canonicalJson, type Fact, factJson, factKey, type Json, parseCanonicalJson, parseFact, type Sha256 } from '@granary/core/model';
import { MAX_LEAF_BYTES } from '@granary/core/tlog';

/** A fact that its author signed: a line of an object under `pending/`. */
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

/** A pending fact as it is written, and its key. */
export interface SignedFact {
  readonly key: Sha256;
  readonly line: Uint8Array;
}

export async function signFact(signer: RoleSigner, fact: Fact, leaf?: Uint8Array): Promise<SignedFact> {
  const signature = await signer.sign(signedBytes(fact));
  return { key: factKey(fact), line: encodePending({ author: signer.keyId, fact, signature, ...(leaf === undefined ? {} : { leaf }) }) };
}

export function encodePending({ author, fact, signature, leaf }: PendingFact): Uint8Array {
  const json = { author, fact: factJson(fact), signature: base64(signature), ...(leaf === undefined ? {} : { leaf: base64(leaf) }) };
  return new TextEncoder().encode(canonicalJson(json));
}

/**
 * Reads an untrusted line. `foreign-kind` has the form of a fact, of a kind that this version does not sequence.
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
