import { mkdir } from 'node:fs/promises';
import { type Catalog, CatalogError, type CatalogFold, type Clock, type FactSink, type Store } from '@granary/contract/ports';
import { type Fact, PRIVATE_KINDS, type StateFact } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSqliteLock } from '@granary/driver-lock-sqlite';
import { systemClock } from '@granary/driver-queue-memory';
import { openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { ARCHIVE_FORMAT, initArchive, lockDataFolder, openFsStore } from '@granary/driver-store-fs';
import { siteKeyFacts } from '@granary/stage-attest';
import { openFactSink, openSequencer, type Refusal, type Sequencer } from '@granary/stage-ledger';
import { type DataPaths, dataPaths, removeCatalog } from './data-paths.ts';
import { ROLE_KINDS, WRITING_ROLES, type WritingRole } from './role-kinds.ts';

/** One site, opened for writing: stores, keys, both ledgers, and the catalog that folds them. */
export interface Site extends AsyncDisposable {
  readonly paths: DataPaths;
  readonly publicStore: Store;
  readonly privateStore: Store;
  readonly keys: SiteKeys;
  readonly catalog: Catalog & CatalogFold;
  readonly origins: { readonly public: string; readonly private: string };
  readonly clock: Clock;
  /** Facts go to the ledger that their kind belongs to. */
  readonly sinkOf: (role: WritingRole) => FactSink;
  /** Resolves when every fact that was submitted before the call is sequenced and folded. */
  settle(): Promise<void>;
}

export interface SiteOptions {
  readonly dataDir: string;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onBatch: (batch: BatchEvent) => void;
}
/** A batch of a ledger is about to be written, or is published. */
export interface BatchEvent {
  readonly origin: string;
  readonly entries: number;
  readonly state: 'started' | 'ended';
}

/** Opens a data folder for writing, or makes it. Throws StoreError `in-use` when another process has it. */
export async function openSite({ dataDir, onRefused, onBatch }: SiteOptions): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const paths = dataPaths(dataDir);
  stack.use(await lockDataFolder(dataDir, { purpose: 'granary up' }));
  await mkdir(paths.derived, { recursive: true });
  const publicStore = stack.use(await openFsStore(paths.public));
  const privateStore = stack.use(await openFsStore(paths.private));
  const keys = await openSiteKeys(paths.keys);
  const origins = { public: originOf(keys.ledgers.public.verifierKey), private: originOf(keys.ledgers.private.verifierKey) };
  await initArchive(publicStore, { format: ARCHIVE_FORMAT, origins: [origins.public] });
  await initArchive(privateStore, { format: ARCHIVE_FORMAT, origins: [origins.private] });
  const catalog = stack.use(await openCatalog(paths));
  const clock = systemClock();
  const lock = stack.use(openSqliteLock({ file: paths.lock }));
  const sequencer = async (side: 'public' | 'private', authorityKeys: readonly StateFact[]) =>
    await openSequencer({
      store: side === 'public' ? publicStore : privateStore,
      lock,
      noteSigner: keys.ledgers[side],
      origin: origins[side],
      catalog,
      clock,
      authority: { side, author: keys.roles.sequencer.keyId, keys: authorityKeys },
      onRefused,
      onBatch,
    });
  const siteKeys = await siteKeyFacts({ signer: keys.statement, objects: publicStore.objects }, keys.ledgers.public.verifierKey);
  const ledgers = [await sequencer('public', [...siteKeys, ...roleKeys(keys)]), await sequencer('private', roleKeys(keys))];
  const owned = stack.move();
  return {
    paths,
    publicStore,
    privateStore,
    keys,
    catalog,
    origins,
    clock,
    sinkOf: (role) => routedSink({ publicStore, privateStore, keys }, role),
    settle: settler(ledgers),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A catalog of another version, or a damaged one, is derived data: it goes, and the ledgers are folded again. */
async function openCatalog(paths: DataPaths): Promise<ReturnType<typeof openSqliteCatalog>> {
  try {
    return openSqliteCatalog(paths.catalog, { mode: 'fold' });
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'unusable') throw error;
    await removeCatalog(paths);
    return openSqliteCatalog(paths.catalog, { mode: 'fold' });
  }
}

function roleKeys(keys: SiteKeys): readonly StateFact[] {
  return WRITING_ROLES.map((role) => {
    const { keyId, publicKeyPem } = keys.roles[role];
    return { kind: 'key-added', subject: keyId, body: { role, kinds: [...ROLE_KINDS[role]], publicKey: publicKeyPem } };
  });
}

function routedSink({ publicStore, privateStore, keys }: Pick<Site, 'publicStore' | 'privateStore' | 'keys'>, role: WritingRole): FactSink {
  const signer = keys.roles[role];
  const toPublic = openFactSink({ store: publicStore, signer });
  const toPrivate = openFactSink({ store: privateStore, signer });
  return {
    async submit(facts) {
      const isPrivate = (given: (typeof facts)[number]) => PRIVATE_KINDS.has(factOf(given).kind);
      await Promise.all([toPublic.submit(facts.filter((given) => !isPrivate(given))), toPrivate.submit(facts.filter(isPrivate))]);
    },
  };
}

function factOf(given: Parameters<FactSink['submit']>[0][number]): Fact {
  return 'leaf' in given ? given.fact : given;
}

/** Callers that wait at the same time share a drain; one that comes while a drain runs needs the next. */
function settler(ledgers: readonly Sequencer[]): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const drain = async () => {
    for (const ledger of ledgers) await ledger.drain();
  };
  const start = (): Promise<void> => {
    const drained = drain().finally(() => {
      running = undefined;
    });
    running = drained;
    return drained;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}

function originOf(verifierKey: string): string {
  return verifierKey.split('+', 1)[0] ?? '';
}
