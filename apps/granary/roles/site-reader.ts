import { readFile } from 'node:fs/promises';
import type { Config } from '@granary/config';
import { type Catalog, CatalogError, type CatalogFold, type Store } from '@granary/contract/ports';
import { parseTrustFile } from '@granary/core/bundle';
import { FORMAT_KEY } from '@granary/core/layout';
import type { VerifierKey } from '@granary/core/tlog';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { hasSiteKeys, openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { catchUp, openLedgerReader, storeSource } from '@granary/stage-ledger';
import { AppError } from '../app-error.ts';
import { type DataPaths, dataPaths } from './data-paths.ts';
import { type OpenStore, openStore, openStores } from './services.ts';
import { originOf } from './site.ts';

const MAX_FORMAT_BYTES = 65_536;

/** A site as those see it who only ask: another process may be writing meanwhile. */
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

/** Opens a site for reading, as far as it is published, and closes it after `use`. Throws AppError `no-data`. */
export async function withSiteReader<T>(config: Config, use: (reader: SiteReader) => T | Promise<T>): Promise<T> {
  const paths = dataPaths(config);
  await using stack = new AsyncDisposableStack();
  const { publicStore, privateStore } = stack.use(await openStores(config));
  await refuseEmpty(publicStore, config);
  if (!(await hasSiteKeys(paths.keys)))
    throw new AppError('no-data', `${paths.keys} holds no keys; give the folder that the site's sequencer has: keys: in granary.yaml`);
  const keys = await openSiteKeys(paths.keys);
  const ledgers = [place('public', keys.ledgers.public.verifierKey, publicStore), place('private', keys.ledgers.private.verifierKey, privateStore)];
  const catalog = stack.use(await currentCatalog(paths, ledgers));
  return await use({ paths, publicStore, privateStore, keys, catalog, ledgers });
}

/** Throws AppError `no-data` unless there is an archive. */
async function refuseEmpty({ objects }: Store, { store }: Config): Promise<void> {
  if ((await objects.get(FORMAT_KEY, MAX_FORMAT_BYTES)) !== undefined) return;
  const where = store.type === 'folder' ? store.path : `bucket ${store.publicBucket} at ${store.endpoint}`;
  throw new AppError('no-data', `${where} holds no archive; granary up makes one, --data names another folder`);
}

/** What a node that only serves has of a site: nothing secret. */
export interface PublicReader {
  readonly store: Store;
  readonly redirects: OpenStore['redirects'];
  /** Text of `granary.pub`. */
  readonly publicKey: string;
  readonly ledger: LedgerPlace;
  readonly ledgerKey: VerifierKey;
}

/** Opens the public side alone, and closes it after `use`. Throws AppError `no-data`. */
export async function withPublicReader<T>(config: Config, use: (reader: PublicReader) => Promise<T>): Promise<T> {
  const { publicKey: file } = dataPaths(config);
  await using side = await openStore(config, 'public');
  await refuseEmpty(side.store, config);
  const publicKey = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('no-data', `${file}: can't be read; copy granary.pub there from beside the site's keys`, { cause });
  });
  const [ledger] = parseTrustFile(publicKey).ledgers;
  if (ledger === undefined) throw new AppError('no-data', `${file}: names no ledger; copy granary.pub there from beside the site's keys`);
  return await use({ store: side.store, redirects: side.redirects, publicKey, ledger: place('public', ledger.text, side.store), ledgerKey: ledger });
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

function place(side: 'public' | 'private', verifierKey: string, store: Store): LedgerPlace {
  return { side, origin: originOf({ verifierKey }), verifierKey, store };
}

function reader({ store, origin, verifierKey }: LedgerPlace): ReturnType<typeof openLedgerReader> {
  return openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
}
