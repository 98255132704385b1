import { type Store, StoreError } from '@granary/contract/ports';
import { type ObjectKey, refusedKey } from '@granary/core/layout';
import { canonicalJson, sha256 } from '@granary/core/model';
import type { Refusal } from './decide-batch.ts';
import { MAX_PENDING_BYTES, pendingName } from './pending-fact.ts';

/** Moves a fact that can't be sequenced to `refused/`, with the reason. What is too long or misnamed to be a fact stays where it is, and is recorded. */
export async function refusePending(store: Store, { name, code, reason }: Refusal): Promise<void> {
  const bytes = await readPending(store, name);
  const record = { code, reason, name, ...(bytes === undefined ? {} : { pending: Buffer.from(bytes).toString('base64') }) };
  const encoded = new TextEncoder().encode(canonicalJson(record));
  const named = pendingName(name);
  await store.objects.putOnce(refusedKey(named?.factKey ?? sha256(name), sha256(encoded)), encoded);
  if (bytes !== undefined && named !== undefined) await store.mutable.remove(name);
}

async function readPending({ objects }: Store, name: ObjectKey): Promise<Uint8Array | undefined> {
  try {
    return await objects.get(name, MAX_PENDING_BYTES);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return undefined;
    throw error;
  }
}
