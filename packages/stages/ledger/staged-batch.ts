import { canonicalJson, parseCanonicalJson } from '@granary/core/model';
import { decodeBundle, parseTilePath, type TileBytes, tilePath } from '@granary/core/tlog';
import { z } from 'zod';
import { LedgerError } from './ledger-error.ts';

/** A whole batch: its tiles, the partial bundle that it fills up included, and the checkpoint that it ends in. */
export const MAX_STAGED_BYTES = 67_108_864;
const MAX_HEADER_BYTES = 1_048_576;

export interface StagedBatch {
  /** Size of the log before the batch. */
  readonly from: number;
  /** The signed checkpoint that makes it part of the log. */
  readonly head: Uint8Array;
  readonly tiles: readonly TileBytes[];
}

const Header = z.object({
  format: z.literal(1),
  from: z.number().int().nonnegative(),
  head: z.base64(),
  tiles: z.array(z.object({ path: z.string(), bytes: z.number().int().nonnegative() })).max(4096),
});

/** One line of canonical JSON that says what follows, then the bytes of the tiles as they are. Throws LedgerError `bad-request` when too large. */
export function encodeStaged({ from, head, tiles }: StagedBatch): Uint8Array {
  const listed = tiles.map(({ tile, bytes }) => ({ path: tilePath(tile), bytes: bytes.length }));
  const header = canonicalJson({ format: 1, from, head: Buffer.from(head).toString('base64'), tiles: listed });
  const staged = Buffer.concat([Buffer.from(`${header}\n`), ...tiles.map(({ bytes }) => bytes)]);
  if (staged.length > MAX_STAGED_BYTES) throw new LedgerError('bad-request', `stage: a batch of ${staged.length} bytes, at most ${MAX_STAGED_BYTES}`);
  return staged;
}

/** Undefined unless the bytes are a whole staged batch. */
export function parseStaged(bytes: Uint8Array): StagedBatch | undefined {
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  const parsed = Header.safeParse(end < 0 ? undefined : parseCanonicalJson(new TextDecoder().decode(bytes.subarray(0, end))));
  if (!parsed.success) return undefined;
  const tiles: TileBytes[] = [];
  let at = end + 1;
  for (const { path, bytes: length } of parsed.data.tiles) {
    const tile = parseTilePath(path);
    if (tile === undefined) return undefined;
    tiles.push({ tile, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return at === bytes.length ? { from: parsed.data.from, head: new Uint8Array(Buffer.from(parsed.data.head, 'base64')), tiles } : undefined;
}

/** The leaves that a staged batch adds. Throws TlogError `bundle-malformed`. */
export function stagedLeaves({ from, tiles }: StagedBatch): readonly Uint8Array[] {
  return tiles.flatMap(({ tile, bytes }) => {
    if (tile.level !== 'entries') return [];
    return decodeBundle(bytes, tile.width).slice(Math.max(0, from - tile.index * 256));
  });
}
