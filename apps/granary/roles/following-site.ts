import type { Config } from '@granary/config';
import type { Catalog, CatalogFold, Clock, Store } from '@granary/contract/ports';
import { FORMAT_KEY, type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
import { systemClock } from '@granary/driver-queue-memory';
import { hasSiteKeys } from '@granary/driver-signer-key';
import { catchUp, type LedgerReader, openLedgerReader, storeSource } from '@granary/stage-ledger';
import { dataPaths } from './data-paths.ts';
import { openStores } from './services.ts';
import { sharing } from './sharing.ts';
import { openSiteBase, type Site, type SiteBase } from './site.ts';

export interface FollowingSiteOptions {
  readonly config: Config;
  readonly purpose: string;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 100;
const MAKE_EVERY_MS = 1000;
/** A sequencer that runs takes a fact within a second or two. */
const PATIENCE_MS = 15_000;

/** Opens a site whose ledgers another process writes, once that one has made it: facts are handed over in the store, and come back in the ledger. */
export async function openFollowingSite({ config, purpose, note, signal }: FollowingSiteOptions): Promise<Site> {
  const clock = systemClock();
  await untilMade(config, { clock, note, signal });
  const base = await openSiteBase(config, purpose);
  const refresh = sharing(async () => {
    for (const reader of readersOf(base)) await fold(reader, base.catalog);
  });
  const pending = pendingIn([base.publicStore, base.privateStore]);
  const settle = async () => {
    await untilTaken(pending, { clock, note, signal });
    await refresh();
  };
  await refresh();
  return { ...base, settle, refresh };
}

type Waiting = Pick<FollowingSiteOptions, 'note' | 'signal'> & { readonly clock: Clock };

/** Without keys a process could only make others, of another site. */
async function untilMade(config: Config, { clock, note, signal }: Waiting): Promise<void> {
  const { keys } = dataPaths(config);
  for (let told = false; ; told = true) {
    const hasKeys = await hasSiteKeys(keys);
    await using stores = await openStores(config);
    const formats = await Promise.all([stores.publicStore, stores.privateStore].map(({ objects }) => objects.get(FORMAT_KEY, 65_536)));
    if (hasKeys && formats.every((format) => format !== undefined)) return;
    if (!told)
      note(
        `waiting for the sequencer: ${hasKeys ? 'the store holds no archive yet' : `${keys} holds no keys yet; they are made with the site, and must be the same for all`}`,
      );
    await clock.sleep(MAKE_EVERY_MS, signal);
  }
}

/** What is pending now goes only when it was sequenced and published, or refused. */
async function untilTaken(pending: () => Promise<ReadonlySet<ObjectKey>>, { clock, note, signal }: Waiting): Promise<void> {
  const waiting = new Set(await pending());
  for (let waitedMs = 0; waiting.size > 0; waitedMs += LOOK_EVERY_MS) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const still = await pending();
    for (const key of waiting) if (!still.has(key)) waiting.delete(key);
    if (waitedMs % PATIENCE_MS === PATIENCE_MS - LOOK_EVERY_MS)
      note(`facts wait for the sequencer, in ${waiting.size} objects; does one run? granary sequencer starts it`);
  }
}

/** Many wait at the same time: they share their looks. */
function pendingIn(stores: readonly Store[]): () => Promise<ReadonlySet<ObjectKey>> {
  let found: ReadonlySet<ObjectKey> = new Set();
  const look = sharing(async () => {
    const keys = new Set<ObjectKey>();
    for (const { objects } of stores) for await (const key of objects.list(PENDING_PREFIX)) keys.add(key);
    found = keys;
  });
  return async () => {
    await look();
    return found;
  };
}

function readersOf({ publicStore, privateStore, keys, origins }: SiteBase): readonly LedgerReader[] {
  const reader = (store: Store, origin: string, verifierKey: string) => openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
  return [reader(publicStore, origins.public, keys.ledgers.public.verifierKey), reader(privateStore, origins.private, keys.ledgers.private.verifierKey)];
}

/** A checkpoint that is behind is passed over: a sequencer that had slept may show its older one for a moment. */
async function fold(reader: LedgerReader, catalog: Catalog & CatalogFold): Promise<void> {
  const checkpoint = await reader.checkpoint();
  if (checkpoint !== undefined && checkpoint.size > catalog.size(reader.origin)) await catchUp(reader, catalog, checkpoint);
}
