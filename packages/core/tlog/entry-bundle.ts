import { TlogError } from './tlog-error.ts';

/** A bundle prefixes each entry with its length as a big-endian uint16. */
export const MAX_LEAF_BYTES = 65_535;
const PREFIX_BYTES = 2;

/** Bytes that leaves take in an entry bundle (C2SP tlog-tiles, Log Entries). */
export function encodeBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(leaves.reduce((total, leaf) => total + PREFIX_BYTES + leaf.length, 0));
  let at = 0;
  for (const leaf of leaves) {
    if (leaf.length > MAX_LEAF_BYTES) throw new TlogError('leaf-too-large', `leaf of ${leaf.length} bytes: a bundle holds at most ${MAX_LEAF_BYTES}`);
    bundle[at] = leaf.length >> 8;
    bundle[at + 1] = leaf.length & 0xff;
    bundle.set(leaf, at + PREFIX_BYTES);
    at += PREFIX_BYTES + leaf.length;
  }
  return bundle;
}

/** The leaves of a bundle of exactly `width` entries; views into the bytes given. Throws TlogError `bundle-malformed`. */
export function decodeBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] {
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length && leaves.length < width) {
    const end = at + PREFIX_BYTES + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (at + PREFIX_BYTES > bundle.length || end > bundle.length) throw new TlogError('bundle-malformed', `entry bundle: cut off at byte ${at}`);
    leaves.push(bundle.subarray(at + PREFIX_BYTES, end));
    at = end;
  }
  if (leaves.length !== width) throw new TlogError('bundle-malformed', `entry bundle: ${leaves.length} entries, expected ${width}`);
  if (at !== bundle.length) throw new TlogError('bundle-malformed', `entry bundle: ${bundle.length - at} bytes after entry ${width}`);
  return leaves;
}

/** The most bytes a bundle of so many entries can have. */
export function maxBundleBytes(width: number): number {
  return width * (PREFIX_BYTES + MAX_LEAF_BYTES);
}
