import { join } from 'node:path';
import { type ComputedFact, type StateFact, sha256, toInstant } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSqliteLock } from '@granary/driver-lock-sqlite';
import { openSiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import { openFactSink, openSequencer } from '@granary/stage-ledger';

/** A ledger with everything real, in one folder. */
export async function ledgerOnDisk(folder: string) {
  await using stack = new AsyncDisposableStack();
  const { ledgers, roles } = await openSiteKeys(join(folder, 'keys'));
  const noteSigner = ledgers.public;
  const [origin = ''] = noteSigner.verifierKey.split('+');
  const store = stack.use(await openFsStore(join(folder, 'store')));
  const lock = stack.use(openSqliteLock({ file: join(folder, 'lock.sqlite') }));
  const catalog = stack.use(openSqliteCatalog(join(folder, 'catalog.sqlite'), { mode: 'fold' }));
  const clock = { now: () => toInstant(Date.now()), sleep: async () => undefined };
  const key: StateFact = { kind: 'key-added', subject: roles.sync.keyId, body: { role: 'sync', kinds: ['stored'], publicKey: roles.sync.publicKeyPem } };
  const authority = { side: 'public', author: roles.sequencer.keyId, keys: [key] } as const;
  const owned = stack.move();
  return {
    store,
    lock,
    catalog,
    origin,
    verifierKey: noteSigner.verifierKey,
    sink: openFactSink({ store, signer: roles.sync }),
    open: () => openSequencer({ store, lock, catalog, noteSigner, clock, origin, authority }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function numbered(at: number): ComputedFact {
  return { kind: 'stored', subject: `pkg:pypi/p${at}@1.0`, inputs: [sha256(String(at))], body: { number: at } };
}
