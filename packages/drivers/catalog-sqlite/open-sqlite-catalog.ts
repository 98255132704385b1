import { type Catalog, CatalogError, type CatalogFold } from '@granary/contract/ports';
import { foldSide } from './fold-side.ts';
import { readSide } from './read-side.ts';
import { countRevisions } from './revisions.ts';
import { attempt, type CatalogMode, openDatabase } from './schema.ts';

export interface SqliteCatalogOptions {
  readonly mode: CatalogMode;
}

/**
 * The catalog in a file, or in `:memory:`. One process folds; others read meanwhile. Throws CatalogError `unusable` for a file of
 * another fold version, or one that is damaged: the caller deletes it and folds again.
 */
export function openSqliteCatalog(file: string, { mode }: SqliteCatalogOptions): Catalog & CatalogFold & Disposable {
  const database = openDatabase(file, mode);
  const revisions = countRevisions(database);
  const folding = foldSide(database, revisions);
  return {
    ...readSide(database, revisions),
    ...folding,
    fold(origin, leaves) {
      if (mode === 'read') throw new CatalogError('unusable', `fold ${origin}: catalog ${file} was opened for reading`);
      attempt(file, () => folding.fold(origin, leaves));
    },
    [Symbol.dispose]() {
      if (database.isOpen) database.close();
    },
  };
}
