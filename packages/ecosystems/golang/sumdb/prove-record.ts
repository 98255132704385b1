import { type Checked, type CheckRequest, EcosystemError, type Held } from '@granary/contract/ecosystem';
import {
  type Checkpoint,
  HASH_BYTES,
  MAX_NOTE_BYTES,
  type ReadTile,
  rootAtSize,
  sameHash,
  TILE_WIDTH,
  type Tile,
  TlogError,
  tileAt,
  type VerifiedTiles,
  verifiedTiles,
} from '@granary/core/tlog';
import type { ModuleVersion } from '../go-mod.ts';
import type { Database } from './database.ts';
import { databaseTilePath, keptPackage, recordName, tileName, treeName } from './kept-files.ts';
import { keptTrees, openTree, readKeptTile, readTreeNote } from './kept-trees.ts';
import { formatRecord, type Lookup, lookupPath, MAX_LOOKUP_BYTES, parseLookup, recordHash, type SumRecord } from './record.ts';

export interface DatabasePorts extends Pick<CheckRequest, 'fetch'> {
  readonly database: Database;
  readonly held: Held;
}
export interface ProvenRecord {
  readonly record: SumRecord;
  /** What a client needs to prove it again: nothing, where that is kept already. */
  readonly beside: NonNullable<Checked['beside']>;
}

/** Of the trees that were kept before, how many a new one is joined to. Each was joined to those before it. */
const JOINED_TREES = 3;
const MAX_TREE_SIZE = 2 ** 40;

/**
 * The database's record of a version, proven to be in a tree that the database signed, which is a later state of every tree kept.
 * Undefined when the upstream doesn't pass on what the database says. Throws EcosystemError `mismatch` when something doesn't hold.
 */
export async function proveRecord(ports: DatabasePorts, version: ModuleVersion): Promise<ProvenRecord | undefined> {
  try {
    const kept = await keptRecord(ports, version);
    if (kept !== undefined) return { record: kept, beside: [] };
    const lookup = await askRecord(ports, version);
    return lookup === undefined ? undefined : await prove(ports, version, lookup);
  } catch (cause) {
    if (cause instanceof TlogError) throw mismatch(ports, version, cause.message, cause);
    throw cause;
  }
}

async function keptRecord({ database, held }: DatabasePorts, { path, version }: ModuleVersion): Promise<SumRecord | undefined> {
  const name = recordName(database.key.name, path, version);
  const file = held.files(keptPackage(name)).find(({ purl }) => purl === name.purl);
  const bytes = file === undefined ? undefined : await held.read(file.sha256, MAX_LOOKUP_BYTES);
  return bytes === undefined ? undefined : parseLookup(bytes);
}

async function askRecord(ports: DatabasePorts, version: ModuleVersion): Promise<Lookup | undefined> {
  const { database } = ports;
  const answer = await ports.fetch(`${database.address}/${lookupPath(version.path, version.version)}`, MAX_LOOKUP_BYTES);
  if (answer !== undefined) return parseLookup(answer);
  // A client whose proxy speaks for the database takes no other answer; one that has none says so.
  if ((await ports.fetch(`${database.address}/supported`, 1024)) === undefined) return undefined;
  throw mismatch(ports, version, 'it has no record of it; GONOSUMDB names what it is not asked about');
}

async function prove(ports: DatabasePorts, version: ModuleVersion, lookup: Lookup): Promise<ProvenRecord> {
  const { database, held } = ports;
  const name = database.key.name;
  const trees = keptTrees(held, name);
  const current = trees.find(({ number }) => number > lookup.id);
  const note = (current && (await readTreeNote(held, current))) ?? (await askTree(ports, lookup));
  const tree = openTree(note, database.key);
  if (tree.size <= lookup.id || tree.size > MAX_TREE_SIZE) throw mismatch(ports, version, `record ${lookup.id} in a tree of ${tree.size}`);
  const tiles = readTiles(ports, tree);
  const hashes = await tiles.verified.hashes(0, Math.floor(lookup.id / TILE_WIDTH));
  const at = (lookup.id % TILE_WIDTH) * HASH_BYTES;
  if (!sameHash(hashes.subarray(at, at + HASH_BYTES), recordHash(lookup))) throw mismatch(ports, version, `its record is not number ${lookup.id} of its log`);
  for (const older of trees.filter(({ number }) => number < tree.size).slice(0, JOINED_TREES)) {
    const before = openTree((await readTreeNote(held, older)) ?? new Uint8Array(), database.key);
    if (!sameHash(await rootAtSize(tiles.verified, before.size), before.root))
      throw mismatch(ports, version, `its log of ${tree.size} is no later state of the one of ${before.size}`);
  }
  return {
    record: lookup,
    beside: [
      { ...recordName(name, version.path, version.version), bytes: formatRecord(lookup) },
      ...(current === undefined ? [{ ...treeName(name, tree.size), bytes: note }] : []),
      ...tiles.fetched.map(({ tile, bytes }) => ({ ...tileName(name, tile), bytes })),
    ],
  };
}

/** The newest tree: what comes with a record can be years old, and then each would come with its own. */
async function askTree(ports: DatabasePorts, lookup: Lookup): Promise<Uint8Array> {
  const { database } = ports;
  const latest = await ports.fetch(`${database.address}/latest`, MAX_NOTE_BYTES);
  return latest !== undefined && openTree(latest, database.key).size > lookup.id ? latest : lookup.note;
}

interface FetchedTile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/** Tiles of a tree, from what is kept or else from the database; `fetched` are those that were verified and aren't kept yet. */
function readTiles(ports: DatabasePorts, tree: Checkpoint): { readonly verified: VerifiedTiles; readonly fetched: FetchedTile[] } {
  const { database, held } = ports;
  const fetched: FetchedTile[] = [];
  const ask = async (tile: Tile) => await ports.fetch(`${database.address}/${databaseTilePath(tile)}`, TILE_WIDTH * HASH_BYTES);
  const read: ReadTile = async (tile) => {
    // Of a wider tile than the tree has, the end could not be verified.
    if (typeof tile.level !== 'number' || tileAt(tile.level, tile.index, tree.size)?.width !== tile.width) return undefined;
    const kept = await readKeptTile(held, database.key.name, tile);
    if (kept !== undefined) return kept;
    const whole = (await ask(tile)) ?? (tile.width < TILE_WIDTH ? await ask({ ...tile, width: TILE_WIDTH }) : undefined);
    const bytes = whole?.subarray(0, tile.width * HASH_BYTES);
    if (bytes !== undefined) fetched.push({ tile, bytes });
    return bytes;
  };
  return { verified: verifiedTiles(read, tree.size, tree.root), fetched };
}

function mismatch({ database }: DatabasePorts, { path, version }: ModuleVersion, why: string, cause?: unknown): EcosystemError {
  return new EcosystemError('mismatch', `${path}@${version}: the checksum database ${database.key.name} doesn't bear it out: ${why}`, { cause });
}
