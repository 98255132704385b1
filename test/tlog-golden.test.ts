import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sha256 } from '@granary/core/model';
import {
  appendLeaves,
  consistencyProof,
  EMPTY_EDGE,
  emptyRoot,
  formatNote,
  inclusionProof,
  leafHash,
  parseNote,
  parseVerifierKey,
  rootAtSize,
  tilePath,
  type VerifierKey,
  verifiedTiles,
  verifierKey,
  verifyConsistency,
  verifyInclusion,
  verifyNote,
} from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** What golang.org/x/mod made of the same inputs: `cd test/golden && go run ./vectors > vectors.json`. */
const Vectors = z.object({
  notes: z.array(z.object({ seeds: z.array(z.string()), keys: z.array(z.string()), text: z.string(), note: z.string() })),
  refused: z.array(z.object({ why: z.string(), note: z.string() })),
  roots: z.array(z.object({ size: z.number(), root: z.string() })),
  inclusion: z.array(z.object({ size: z.number(), index: z.number(), proof: z.array(z.string()) })),
  consistency: z.array(z.object({ old: z.number(), size: z.number(), proof: z.array(z.string()) })),
  tiles: z.array(z.object({ path: z.string(), sha256: z.string() })),
  paths: z.array(z.object({ level: z.number(), index: z.number(), width: z.number(), path: z.string() })),
});
const vectors = Vectors.parse(JSON.parse(readFileSync(new URL('golden/vectors.json', import.meta.url), 'utf8')));

const leaf = (index: number) => new TextEncoder().encode(`leaf ${index}`);
const leaves = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => leaf(start + at));
const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (hash: Uint8Array) => Buffer.from(hash).toString('hex');

/** RFC 8410 private key: the seed after a fixed prefix. */
function signatureOf(seed: string, text: string): Uint8Array {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  return sign(null, bytes(text), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

function keyOf(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key === undefined) throw new RangeError(`${text}: no verifier key`);
  return key;
}

describe('as golang.org/x/mod has it, note', () => {
  it.each(vectors.notes)('$keys signs the same bytes', ({ seeds, keys, text, note }) => {
    const signatures = keys.map((key, at) => ({ ...keyOf(key), signature: signatureOf(seeds[at] ?? '', text) }));

    expect(new TextDecoder().decode(formatNote({ text, signatures }))).toBe(note);
  });

  it.each(vectors.notes)('$keys is verified, by each of its keys alone too', ({ keys, text, note }) => {
    const parsed = parseNote(bytes(note));

    expect(parsed.text).toBe(text);
    expect(verifyNote(parsed, keys.map(keyOf))).toHaveLength(keys.length);
    for (const key of keys) expect(verifyNote(parsed, [keyOf(key)])).toHaveLength(1);
  });

  it.each(vectors.refused)('is refused: $why', ({ note }) => {
    const key = keyOf(vectors.notes[0]?.keys[0] ?? '');

    expect(() => verifyNote(parseNote(bytes(note)), [key])).toThrow(expect.objectContaining({ name: 'TlogError' }));
  });

  it('key has the same id', () => {
    for (const text of vectors.notes.flatMap(({ keys }) => keys)) {
      const { name, publicKey } = keyOf(text);
      expect(verifierKey(name, publicKey).text).toBe(text);
      expect(parseVerifierKey(text.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).toBeUndefined();
    }
  });
});

describe('as golang.org/x/mod has it, tree', () => {
  const stored = new Map<string, Uint8Array>();
  const first = appendLeaves(EMPTY_EDGE, leaves(0, 65_500));
  const second = appendLeaves(first.edge, leaves(65_500, 66_000));
  for (const { tile, bytes: data } of [...first.tiles, ...second.tiles]) stored.set(tilePath(tile), data);
  const whole = verifiedTiles(async (tile) => stored.get(tilePath(tile)), 66_000, second.root);
  const atSize = (size: number) => appendLeaves(EMPTY_EDGE, leaves(0, size));
  const tilesAt = (size: number) => {
    const { tiles, root } = atSize(size);
    const own = new Map(tiles.map(({ tile, bytes: data }) => [tilePath(tile), data]));
    return size === 66_000 ? whole : verifiedTiles(async (tile) => own.get(tilePath(tile)), size, root);
  };

  it.each(vectors.roots)('of $size leaves has the same root', async ({ size, root }) => {
    expect(hex(size === 0 ? emptyRoot() : await rootAtSize(whole, size))).toBe(root);
    if (size <= 600) expect(hex(atSize(size).root)).toBe(root);
  });

  it('has the same new tiles when it grows', () => {
    const ours = second.tiles.filter(({ tile }) => tile.level !== 'entries').map(({ tile, bytes: data }) => ({ path: tilePath(tile), sha256: sha256(data) }));

    expect(ours.toSorted(byPath)).toEqual(vectors.tiles.toSorted(byPath));
  });

  it('names tiles by the same paths', () => {
    for (const { path, ...tile } of vectors.paths) expect(tilePath(tile)).toBe(path);
  });

  it('has the same inclusion proofs', async () => {
    for (const { size, index, proof } of vectors.inclusion) {
      const root = await rootAtSize(whole, size);
      expect((await inclusionProof(tilesAt(size), index)).map(hex)).toEqual(proof);
      expect(verifyInclusion({ index, size, root, leafHash: leafHash(leaf(index)), proof: proof.map((hash) => Buffer.from(hash, 'hex')) })).toBe(true);
    }
  });

  it('has the same consistency proofs', async () => {
    for (const { old, size, proof } of vectors.consistency) {
      const [oldRoot, root] = await Promise.all([rootAtSize(whole, old), rootAtSize(whole, size)]);
      expect((await consistencyProof(tilesAt(size), old)).map(hex)).toEqual(proof);
      expect(verifyConsistency({ oldSize: old, oldRoot, size, root, proof: proof.map((hash) => Buffer.from(hash, 'hex')) })).toBe(true);
    }
  });
});

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}
