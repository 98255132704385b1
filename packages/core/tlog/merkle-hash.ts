import { hash } from 'node:crypto';

/** A node of the tree is a SHA-256: 32 bytes. */
export const HASH_BYTES = 32;

/** Hash of one leaf. RFC 6962 2.1: SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(leaf.length + 1);
  input.set(leaf, 1);
  return digest(input);
}

/** Hash of an inner node. RFC 6962 2.1: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return digest(input);
}

/** Root of the tree without leaves. RFC 6962 2.1: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return digest(new Uint8Array());
}

/** Root of concatenated hashes that are the leaves of a tree of any size above zero. */
export function rootOfHashes(hashes: Uint8Array): Uint8Array {
  const count = hashes.length / HASH_BYTES;
  if (count === 1) return hashes.slice();
  const left = splitPoint(count) * HASH_BYTES;
  return nodeHash(rootOfHashes(hashes.subarray(0, left)), rootOfHashes(hashes.subarray(left)));
}

/** The largest power of two smaller than `size`, which is above one: RFC 6962 2.1 calls it k. */
export function splitPoint(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function digest(input: Uint8Array): Uint8Array {
  return hash('sha256', input, 'buffer');
}
