import { applyDelta, decodeSnapshot, encodeDelta, encodeSnapshot, type RefDocument, type RefState } from '@granary/core/git';
import { ObservedBody, type Purl, type Sha256, StoredBody } from '@granary/core/model';
import { type BlobStore, type Catalog, type CatalogFact, type StoredPack, StoreError } from '../ports/index.ts';

/** What is on record of a repository's refs. */
export interface KnownRefs {
  readonly fact: CatalogFact;
  /** Of the newest document. */
  readonly digest: Sha256;
  readonly state: RefState;
  /** Documents that have to be read for it, this one among them. */
  readonly documents: number;
}
interface ReadPorts {
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly catalog: Pick<Catalog, 'current' | 'ofPackage'>;
}

/** As large as one is written. */
const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;
/** A whole one is written before the way back to the last becomes longer than this. */
const MAX_DOCUMENTS = 32;
/** Beside a pack, under this name, lies its index; under the other what fsck found. */
export const INDEX_COMPANION = 'idx';
export const FINDINGS_COMPANION = 'fsck.json';

/** The refs as they were last seen; undefined when they never were. Throws StoreError, GitFormatError on what isn't ours. */
export async function readKnownRefs({ blobs, catalog }: ReadPorts, repository: Purl): Promise<KnownRefs | undefined> {
  const fact = catalog.current('observed', repository);
  return fact === undefined ? undefined : { fact, ...(await readRefState(blobs, ObservedBody.parse(fact.entry.body).document)) };
}

/** The refs that a document, and those that it builds on, come to. */
export async function readRefState(blobs: Pick<BlobStore, 'read'>, digest: Sha256): Promise<Omit<KnownRefs, 'fact'>> {
  const deltas: { readonly digest: Sha256; readonly document: Extract<RefDocument, { type: 'delta' }> }[] = [];
  for (let at = digest; deltas.length <= MAX_DOCUMENTS; ) {
    const document = await readDocument(blobs, at);
    if (document.type === 'whole') {
      let before = { digest: at, state: document.state };
      for (const delta of deltas.toReversed()) before = { digest: delta.digest, state: applyDelta(before, delta.document) };
      return { digest, state: before.state, documents: deltas.length + 1 };
    }
    deltas.push({ digest: at, document });
    at = document.base;
  }
  throw new StoreError('unreachable', `read refs ${digest}: more than ${MAX_DOCUMENTS} documents lie between it and a whole one`);
}

/** The document to keep: a delta where that is smaller and the way back is short. */
export function documentOf(known: KnownRefs | undefined, state: RefState): Uint8Array {
  const whole = encodeSnapshot(state);
  if (known === undefined || known.documents >= MAX_DOCUMENTS || known.state.objectFormat !== state.objectFormat) return whole;
  const delta = encodeDelta(known.digest, known.state, state);
  return delta.length < whole.length / 2 ? delta : whole;
}

/** Every pack that was ever taken in of a repository. */
export function heldPacks(catalog: Pick<Catalog, 'ofPackage'>, repository: Purl): readonly StoredPack[] {
  return catalog.ofPackage('stored', repository).flatMap(({ entry }) => {
    const { sha256: pack, companions } = StoredBody.parse(entry.body);
    const index = companions?.[INDEX_COMPANION];
    return index === undefined ? [] : [{ pack, index }];
  });
}

async function readDocument(blobs: Pick<BlobStore, 'read'>, digest: Sha256): Promise<RefDocument> {
  const bytes = await blobs.read(digest, MAX_SNAPSHOT_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `read refs ${digest}: not in the store`);
  return decodeSnapshot(bytes);
}
