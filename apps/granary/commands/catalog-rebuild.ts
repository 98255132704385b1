import { createHash } from 'node:crypto';
import type { Config } from '@granary/config';
import type { CatalogFold } from '@granary/contract/ports';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { lockDataFolder } from '@granary/driver-store-fs';
import { removeCatalog } from '../roles/data-paths.ts';
import { foldLedgers, withSiteReader } from '../roles/site-reader.ts';

export interface RebuiltCatalog {
  readonly entries: number;
  /** sha256 of the ordered logical dump: the same for every fold of the same ledgers. */
  readonly dump: string;
}

/** Deletes the catalog and folds both ledgers again. Throws StoreError `in-use` while another process has the data folder. */
export async function rebuildCatalog(config: Config): Promise<RebuiltCatalog> {
  return await withSiteReader(config, async ({ paths, ledgers }) => {
    await using _lock = await lockDataFolder(paths.root, { purpose: 'granary catalog rebuild' });
    await removeCatalog(paths);
    using catalog = await foldLedgers(openSqliteCatalog(paths.catalog, { mode: 'fold' }), ledgers);
    return { entries: ledgers.reduce((sum, { origin }) => sum + catalog.size(origin), 0), dump: dumpDigest(catalog) };
  });
}

function dumpDigest(catalog: CatalogFold): string {
  const hash = createHash('sha256');
  for (const line of catalog.dump()) hash.update(`${line}\n`);
  return hash.digest('hex');
}
