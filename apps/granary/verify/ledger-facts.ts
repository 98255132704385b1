import { type KeyHistory, keyHistory } from '@granary/core/bundle';
import { AttestedBody, decodeLeaf, type Entry, parsePurl, parseSha256, purlParts, type Sha256 } from '@granary/core/model';
import { TILE_WIDTH, type VerifiedTiles } from '@granary/core/tlog';

/** A fact with its place. */
interface PlacedEntry {
  readonly index: number;
  readonly fact: Entry;
}
/** What a ledger says that matters for one file. */
export interface LedgerFacts {
  readonly keys: KeyHistory;
  /** `attested` facts about the digest, in the ledger's order. */
  readonly attested: readonly { readonly index: number; readonly subject: string; readonly body: AttestedBody }[];
  /** Digests that the ledger knows under this file name. */
  readonly namesakes: readonly Sha256[];
  /** Latest `quarantined` or `released` of each subject. */
  readonly quarantine: ReadonlyMap<string, PlacedEntry>;
}

/**
 * Reads a whole ledger, every entry of it checked against the root: the only way to see that a key was not retired and a file not
 * quarantined without trusting whoever serves it. Facts are looked for by bytes first, so that only those that matter are parsed.
 */
export async function ledgerFacts(tiles: VerifiedTiles, digest: Sha256, fileName: string | undefined): Promise<LedgerFacts> {
  const needles = [digest, 'key-added', 'key-retired', 'quarantined', 'released', ...(fileName === undefined ? [] : [encodeURIComponent(fileName)])];
  const entries: PlacedEntry[] = [];
  for (let bundle = 0; bundle * TILE_WIDTH < tiles.size; bundle++) {
    for (const [at, leaf] of (await tiles.leaves(bundle)).entries()) {
      const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength);
      if (!needles.some((needle) => bytes.includes(needle))) continue;
      const decoded = decodeLeaf(leaf);
      if (decoded.type === 'entry') entries.push({ index: bundle * TILE_WIDTH + at, fact: decoded.entry });
    }
  }
  return {
    keys: keyHistory(entries),
    attested: entries.flatMap((entry) => attestedAbout(digest, entry)),
    namesakes: namesakes(entries, fileName),
    quarantine: quarantine(entries),
  };
}

function attestedAbout(digest: Sha256, { index, fact }: PlacedEntry): LedgerFacts['attested'] {
  const body = fact.kind === 'attested' ? AttestedBody.safeParse(fact.body) : undefined;
  return body?.success && body.data.sha256 === digest ? [{ index, subject: fact.subject, body: body.data }] : [];
}

/** Digests that a file of this name has, as far as it was mirrored or judged. */
function namesakes(entries: readonly PlacedEntry[], fileName: string | undefined): readonly Sha256[] {
  const digests = entries.flatMap(({ fact }) => {
    const purl = fact.kind === 'attested' || fact.kind === 'stored' ? parsePurl(fact.subject) : undefined;
    const digest = fact.body['sha256'];
    if (purl === undefined || fileName === undefined || typeof digest !== 'string' || purlParts(purl).fileName !== fileName) return [];
    return parseSha256(digest) ?? [];
  });
  return [...new Set(digests)];
}

function quarantine(entries: readonly PlacedEntry[]): ReadonlyMap<string, PlacedEntry> {
  return new Map(entries.filter(({ fact }) => fact.kind === 'quarantined' || fact.kind === 'released').map((entry) => [entry.fact.subject, entry]));
}
