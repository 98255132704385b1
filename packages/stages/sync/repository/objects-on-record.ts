import type { BlobStore, StoredPack } from '@granary/contract/ports';
import type { ObjectId } from '@granary/core/git';
import type { Sha256 } from '@granary/core/model';

/** gitformat-pack(5), version 2 of the index: signature and version, then how many objects' ids begin with each byte or one before it, then the ids in order. */
const SIGNATURE = Buffer.from('ff744f6300000002', 'hex');
const FAN_OUT_BYTES = 256 * 4;
const IDS_AT = SIGNATURE.length + FAN_OUT_BYTES;
/** Of the ids that begin with one byte: half a thousand million objects in a pack. */
const MAX_BUCKET_BYTES = 64 * 2 ** 20;

type ReadPorts = { readonly blobs: Pick<BlobStore, 'open'> };

/**
 * Those of the objects that packs on record have, as the indexes in the store say. Where a run ended between taking a pack and saying so, this machine
 * has objects that are on no record: they would be gone with its folder.
 */
export async function objectsOnRecord({ blobs }: ReadPorts, packs: readonly StoredPack[], asked: readonly ObjectId[]): Promise<ReadonlySet<ObjectId>> {
  const found = new Set<ObjectId>();
  // What is asked for came lately.
  for (const { index } of packs.toReversed()) {
    const open = asked.filter((id) => !found.has(id));
    if (open.length === 0) break;
    for (const id of await among(blobs, index, open)) found.add(id);
  }
  return found;
}

async function among(blobs: ReadPorts['blobs'], index: Sha256, asked: readonly ObjectId[]): Promise<readonly ObjectId[]> {
  const head = await bytesOf(blobs, index, { start: 0, end: IDS_AT });
  if (head.length !== IDS_AT || !SIGNATURE.equals(head.subarray(0, SIGNATURE.length))) return [];
  const here: ObjectId[] = [];
  for (const [first, ids] of Map.groupBy(asked, (id) => Number.parseInt(id.slice(0, 2), 16))) {
    const upTo = (byte: number): number => (byte < 0 ? 0 : head.readUInt32BE(SIGNATURE.length + 4 * byte));
    const length = (ids[0]?.length ?? 0) / 2;
    const [start, end] = [IDS_AT + length * upTo(first - 1), IDS_AT + length * upTo(first)];
    const bucket = end - start > 0 && end - start <= MAX_BUCKET_BYTES ? await bytesOf(blobs, index, { start, end }) : Buffer.alloc(0);
    here.push(...ids.filter((id) => holds(bucket, Buffer.from(id, 'hex'))));
  }
  return here;
}

function holds(bucket: Buffer, id: Buffer): boolean {
  let [low, high] = [0, bucket.length / id.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = id.compare(bucket, middle * id.length, (middle + 1) * id.length);
    if (order === 0) return true;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return false;
}

async function bytesOf(blobs: ReadPorts['blobs'], digest: Sha256, range: { readonly start: number; readonly end: number }): Promise<Buffer> {
  const size = range.end - range.start;
  const blob = await blobs.open(digest, range);
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob?.stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).subarray(0, size);
}
