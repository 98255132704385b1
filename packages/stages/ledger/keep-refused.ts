import type { Store } from '@granary/contract/ports';
import { refusedKey } from '@granary/core/layout';
import { canonicalJson, sha256 } from '@granary/core/model';
import type { Refusal } from './decide-batch.ts';

/** Keeps a fact that can't be sequenced under `refused/`, with the reason; durable when resolved. It was acknowledged, and is never removed. */
export async function keepRefused(store: Store, { name, code, reason, key, line }: Refusal): Promise<void> {
  const record = { code, reason, name, ...(line === undefined ? {} : { pending: Buffer.from(line).toString('base64') }) };
  const encoded = new TextEncoder().encode(canonicalJson(record));
  await store.objects.putOnce(refusedKey(key ?? sha256(line ?? name), sha256(encoded)), encoded);
}
