import type { Catalog, ObjectStore } from '@granary/contract/ports';
import {
  completeBundle,
  type Envelope,
  envelopeJson,
  type KeysDocument,
  keyHistory,
  MAX_ENVELOPE_BYTES,
  type ProvableLedger,
  parseEnvelope,
  parseTrustFile,
  trustedRoot,
} from '@granary/core/bundle';
import { checkpointKey, envelopeKey, tileKey } from '@granary/core/layout';
import { AttestedBody, type Json, type Sha256 } from '@granary/core/model';
import { HASH_BYTES, MAX_NOTE_BYTES, maxBundleBytes, openCheckpoint, TILE_WIDTH, tilePath, type VerifierKey, verifiedTiles } from '@granary/core/tlog';
import { VerifyError } from './verify-error.ts';

export interface SiteEvidencePorts {
  readonly catalog: Catalog;
  /** The public store. */
  readonly objects: ObjectStore;
  /** Text of `granary.pub`, which names the public ledger. */
  readonly publicKey: string;
}
/** What a mirror serves to verifiers; the other end of {@link urlMirror}. */
export interface SiteEvidence {
  /** Every statement about a file that is published, oldest first. */
  bundlesOf(file: Sha256): Promise<readonly { readonly [name: string]: Json }[]>;
  keys(): Promise<KeysDocument>;
}

/** Bundles are made when they are asked for: proof and checkpoint change with every batch, and envelopes never. */
export function siteEvidence({ catalog, objects, publicKey }: SiteEvidencePorts): SiteEvidence {
  const [log] = parseTrustFile(publicKey).ledgers;
  if (log === undefined) throw new VerifyError('bad-public-key', 'public key of this site: names no ledger');
  const ledger = newestLedger(objects, log);
  const envelope = (id: Sha256) => readEnvelope(objects, id);
  return {
    async bundlesOf(file) {
      const provable = await ledger();
      const published = catalog.ofDigest('attested', file).filter(({ index }) => provable !== undefined && index < provable.tiles.size);
      return await Promise.all(
        published.map(async ({ index, entry }) => {
          if (provable === undefined) throw new VerifyError('ledger-unknown', `${log.name}: was never started`);
          // The leaf stands right before its fact.
          return await completeBundle(await envelope(AttestedBody.parse(entry.body).envelope), index - 1, provable);
        }),
      );
    },
    async keys() {
      const added = [...catalog.all('key-added')].filter(({ origin }) => origin === log.name).map(({ index, entry }) => ({ index, fact: entry }));
      const endorsements = await Promise.all(keyHistory(added).ledgers.map(async ({ endorsement }) => envelopeJson(await envelope(endorsement))));
      return { publicKey, trustedRoot: trustedRoot([log]), endorsements };
    },
  };
}

/** The ledger at its newest checkpoint; tiles that were checked are kept as long as it is the newest. */
function newestLedger(objects: ObjectStore, log: VerifierKey): () => Promise<ProvableLedger | undefined> {
  let newest: ProvableLedger | undefined;
  return async () => {
    const checkpoint = await objects.get(checkpointKey(log.name), MAX_NOTE_BYTES);
    if (checkpoint === undefined) return undefined;
    if (newest !== undefined && Buffer.compare(newest.checkpoint, checkpoint) === 0) return newest;
    const { size, root } = openCheckpoint(checkpoint, log.name, log);
    const tiles = verifiedTiles(
      (tile) => objects.get(tileKey(log.name, tilePath(tile)), tile.level === 'entries' ? maxBundleBytes(tile.width) : TILE_WIDTH * HASH_BYTES),
      size,
      root,
    );
    newest = { log, checkpoint, tiles };
    return newest;
  };
}

async function readEnvelope(objects: ObjectStore, id: Sha256): Promise<Envelope> {
  const bytes = await objects.get(envelopeKey(id), MAX_ENVELOPE_BYTES);
  if (bytes === undefined) throw new VerifyError('bundle-malformed', `${envelopeKey(id)}: not there, though the ledger names it`);
  return parseEnvelope(bytes);
}
