import { mkdir } from 'node:fs/promises';
import type { Config } from '@granary/config';
import { type Catalog, CatalogError, type CatalogFold, type Clock, type FactSink, type NoteSigner, type Store } from '@granary/contract/ports';
import { type Fact, PRIVATE_KINDS } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { systemClock } from '@granary/driver-queue-memory';
import { openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { lockDataFolder } from '@granary/driver-store-fs';
import { openFactSink } from '@granary/stage-ledger';
import { type DataPaths, dataPaths, removeCatalog } from './data-paths.ts';
import type { WritingRole } from './role-kinds.ts';
import { openStores } from './services.ts';

/** One site as one of its processes has it: the archive, keys, and a catalog of its own that folds both ledgers. */
export interface Site extends SiteBase {
  /** Resolves when every fact that was submitted before the call, by whatever process, is sequenced and folded. */
  settle(): Promise<void>;
  /** Resolves when everything that was published before the call is folded. */
  refresh(): Promise<void>;
}
export interface SiteBase extends AsyncDisposable {
  readonly paths: DataPaths;
  readonly publicStore: Store;
  readonly privateStore: Store;
  readonly keys: SiteKeys;
  readonly catalog: Catalog & CatalogFold;
  readonly origins: { readonly public: string; readonly private: string };
  readonly clock: Clock;
  /** Facts go to the ledger that their kind belongs to. */
  readonly sinkOf: (role: WritingRole) => FactSink;
}

/** Opens what every process of a site needs. Throws StoreError `in-use` when another process has the data folder. */
export async function openSiteBase(config: Config, purpose: string): Promise<SiteBase> {
  await using stack = new AsyncDisposableStack();
  const paths = dataPaths(config);
  stack.use(await lockDataFolder(paths.root, { purpose }));
  await mkdir(paths.derived, { recursive: true });
  const { publicStore, privateStore } = stack.use(await openStores(config));
  const keys = await openSiteKeys(paths.keys);
  const catalog = stack.use(await openCatalog(paths));
  const owned = stack.move();
  return {
    paths,
    publicStore,
    privateStore,
    keys,
    catalog,
    origins: { public: originOf(keys.ledgers.public), private: originOf(keys.ledgers.private) },
    clock: systemClock(),
    sinkOf: (role) => routedSink({ publicStore, privateStore, keys }, role),
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

function routedSink({ publicStore, privateStore, keys }: Pick<SiteBase, 'publicStore' | 'privateStore' | 'keys'>, role: WritingRole): FactSink {
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

/** The log that a verifier key is for: the name before the first plus (C2SP signed-note). */
export function originOf({ verifierKey }: Pick<NoteSigner, 'verifierKey'>): string {
  return verifierKey.split('+', 1)[0] ?? '';
}
