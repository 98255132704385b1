import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keyHistory, MAX_ENVELOPE_BYTES, parseEnvelope } from '@granary/core/bundle';
import { checkpointKey, envelopeKey, type ObjectKey, tileKey } from '@granary/core/layout';
import { decodeLeaf, type Sha256 } from '@granary/core/model';
import { decodeBundle, HASH_BYTES, MAX_NOTE_BYTES, maxBundleBytes, parseCheckpoint, parseNote, TILE_WIDTH, tileAt, tilePath } from '@granary/core/tlog';
import type { Mirror, MirrorLedger } from './mirror.ts';
import { VerifyError } from './verify-error.ts';

/** The archive in a folder, or a copy of it: read, never written, and no software of the mirror has to run. */
export function folderMirror(folder: string): Mirror {
  const ledger = async (origin: string | undefined): Promise<MirrorLedger | undefined> => {
    for (const name of origin === undefined ? await origins(folder) : [origin]) {
      const checkpoint = await readObject(folder, checkpointKey(name), MAX_NOTE_BYTES);
      if (checkpoint === undefined) continue;
      return {
        checkpoint,
        read: (tile) => readObject(folder, tileKey(name, tilePath(tile)), tile.level === 'entries' ? maxBundleBytes(tile.width) : TILE_WIDTH * HASH_BYTES),
      };
    }
    return undefined;
  };
  const envelope = async (id: Sha256) => {
    const bytes = await readObject(folder, envelopeKey(id), MAX_ENVELOPE_BYTES);
    if (bytes === undefined) throw new VerifyError('bundle-malformed', `${join(folder, envelopeKey(id))}: not there, though the ledger names it`);
    return parsed(join(folder, envelopeKey(id)), () => parseEnvelope(bytes));
  };
  return {
    label: folder,
    ledger,
    endorsements: async (of) => Promise.all((await endorsed(of)).map(envelope)),
    bundles: async (_file, statements, complete) => Promise.all(statements.map(async ({ envelope: id, index }) => complete(await envelope(id), index))),
  };
}

/** Which endorsements the ledger's first entries name: claims, to be checked by signature. */
async function endorsed({ checkpoint, read }: MirrorLedger): Promise<readonly Sha256[]> {
  const { size } = parseCheckpoint(parseNote(checkpoint).text);
  const tile = tileAt('entries', 0, size);
  const bytes = tile && ((await read(tile)) ?? (await read({ ...tile, width: TILE_WIDTH })));
  if (tile === undefined || bytes === undefined) return [];
  const leaves = parsed('tile/entries/000', () => decodeBundle(bytes, tile.width));
  const facts = leaves.flatMap((leaf, index) => {
    const decoded = decodeLeaf(leaf);
    return decoded.type === 'entry' ? [{ index, fact: decoded.entry }] : [];
  });
  return keyHistory(facts).ledgers.map(({ endorsement }) => endorsement);
}

async function origins(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(folder, 'ledgers'))).sort();
  } catch (cause) {
    throw new VerifyError('mirror-unreachable', `${folder}: no folder of a mirror (it has no ledgers/); give the folder that holds granary.json`, { cause });
  }
}

async function readObject(folder: string, key: ObjectKey, maxBytes: number): Promise<Uint8Array | undefined> {
  const path = join(folder, key);
  try {
    await using file = await open(path, constants.O_RDONLY);
    const { size } = await file.stat();
    if (size > maxBytes) throw new VerifyError('ledger-altered', `${path}: ${size} bytes, at most ${maxBytes}`);
    return new Uint8Array(await file.readFile());
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause;
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return undefined;
    throw new VerifyError('mirror-unreachable', `read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new VerifyError('bundle-malformed', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
