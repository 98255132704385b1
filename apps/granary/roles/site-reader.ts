import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@granary/config';
import { type Catalog, CatalogError, type CatalogFold, type Store } from '@granary/contract/ports';
import { FORMAT_KEY } from '@granary/core/layout';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import { catchUp, openLedgerReader, storeSource } from '@granary/stage-ledger';
import { AppError } from '../app-error.ts';
import { type DataPaths, dataPaths } from './data-paths.ts';

/** A data folder as those see it who only ask: another process may be writing meanwhile. */
export interface SiteReader {
  readonly paths: DataPaths;
  readonly publicStore: Store;
  readonly privateStore: Store;
  readonly keys: SiteKeys;
  readonly catalog: Catalog & CatalogFold;
  readonly ledgers: readonly LedgerPlace[];
}
export interface LedgerPlace {
  readonly side: 'public' | 'private';
  readonly origin: string;
  readonly verifierKey: string;
  readonly store: Store;
}

/** Opens a data folder for reading, as far as it is published, and closes it after `use`. Throws AppError `no-data`. */
export async function withSiteReader<T>(config: Config, use: (reader: SiteReader) => T | Promise<T>): Promise<T> {
  const paths = dataPaths(config.dataDir);
  await access(join(paths.public, FORMAT_KEY)).catch((cause: unknown) => {
    throw new AppError('no-data', `${config.dataDir} holds no archive; granary up makes one, --data names another folder`, { cause });
  });
  await using stack = new AsyncDisposableStack();
  const publicStore = stack.use(await openFsStore(paths.public));
  const privateStore = stack.use(await openFsStore(paths.private));
  const keys = await openSiteKeys(paths.keys);
  const ledgers = [place('public', keys, publicStore), place('private', keys, privateStore)];
  const catalog = stack.use(await currentCatalog(paths, ledgers));
  return await use({ paths, publicStore, privateStore, keys, catalog, ledgers });
}

/** The catalog that a running process keeps, when it is as new as what is published; otherwise one in memory, folded now. */
async function currentCatalog(paths: DataPaths, ledgers: readonly LedgerPlace[]): Promise<Catalog & CatalogFold & Disposable> {
  const kept = openKept(paths.catalog);
  if (kept !== undefined) {
    const sizes = await Promise.all(ledgers.map(async (ledger) => (await reader(ledger).checkpoint())?.size ?? 0));
    if (ledgers.every(({ origin }, index) => kept.size(origin) >= (sizes[index] ?? 0))) return kept;
    kept[Symbol.dispose]();
  }
  return await foldLedgers(openSqliteCatalog(':memory:', { mode: 'fold' }), ledgers);
}

/** Folds all that is published into a catalog. */
export async function foldLedgers<C extends CatalogFold>(catalog: C, ledgers: readonly LedgerPlace[]): Promise<C> {
  for (const ledger of ledgers) {
    const checkpoint = await reader(ledger).checkpoint();
    if (checkpoint !== undefined) await catchUp(reader(ledger), catalog, checkpoint);
  }
  return catalog;
}

function openKept(file: string): (Catalog & CatalogFold & Disposable) | undefined {
  try {
    return openSqliteCatalog(file, { mode: 'read' });
  } catch (error) {
    if (error instanceof CatalogError) return undefined;
    throw error;
  }
}

function place(side: 'public' | 'private', keys: SiteKeys, store: Store): LedgerPlace {
  const { verifierKey } = keys.ledgers[side];
  return { side, origin: verifierKey.split('+', 1)[0] ?? '', verifierKey, store };
}

function reader({ store, origin, verifierKey }: LedgerPlace): ReturnType<typeof openLedgerReader> {
  return openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
}
