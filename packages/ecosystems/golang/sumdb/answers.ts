import type { Held } from '@granary/contract/ecosystem';
import { unescapeCase } from '../names.ts';
import { keptPackage, parseDatabaseTilePath, recordName } from './kept-files.ts';
import { keptTrees, readKeptTile, readTreeNote } from './kept-trees.ts';
import { provingTree } from './proving-tree.ts';
import { MAX_LOOKUP_BYTES, parseLookup } from './record.ts';

/** `DATABASE/supported`, `DATABASE/lookup/…` and so on. */
const QUESTION = /^(.+?)\/(supported|latest|lookup\/.+|tile\/.+)$/;

/** Database and question of a path below `sumdb/`; undefined when it isn't one. */
export function parseQuestion(path: string): { readonly database: string; readonly question: string } | undefined {
  const [, database, question] = QUESTION.exec(path) ?? [];
  return database === undefined || question === undefined ? undefined : { database, question };
}

/**
 * What a checksum database that we keep something of is asked (golang.org/x/mod/sumdb, Server). Every record is answered with the same
 * tree, the newest that is kept whole: a client that got each with the tree of its day would have to prove one from the other. What came with a record is sequenced in any order, and not always
 * in one batch: a record that no kept tree can prove yet is not held yet.
 */
export async function answerQuestion(path: string, held: Held): Promise<Uint8Array | undefined> {
  const { database = '', question = '' } = parseQuestion(path) ?? {};
  const [newest] = keptTrees(held, database);
  if (newest === undefined) return undefined;
  if (question === 'supported') return new Uint8Array();
  if (question === 'latest') return await readTreeNote(held, newest);
  const tile = parseDatabaseTilePath(question);
  if (tile !== undefined) return await readKeptTile(held, database, tile);
  const [, module, version] = /^lookup\/([^@]+)@([^@]+)$/.exec(question) ?? [];
  const record = await readRecord(held, database, [unescapeCase(module ?? ''), unescapeCase(version ?? '')]);
  const note = record && (await provingTree(held, database, parseLookup(record)));
  return record === undefined || note === undefined ? undefined : Buffer.concat([record, note]);
}

async function readRecord(held: Held, database: string, [module, version]: readonly (string | undefined)[]): Promise<Uint8Array | undefined> {
  if (!module || !version) return undefined;
  const name = recordName(database, module, version);
  const file = held.files(keptPackage(name)).find(({ purl }) => purl === name.purl);
  return file === undefined ? undefined : await held.read(file.sha256, MAX_LOOKUP_BYTES);
}
