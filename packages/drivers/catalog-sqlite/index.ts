export { openSqliteCatalog, type SqliteCatalogOptions } from './open-sqlite-catalog.ts';
export { type CatalogMode, deleteSqliteCatalog } from './schema.ts';
