export type { PurlMemo } from './purl-columns.ts';
export { type CatalogRow, FOLD_VERSION, type RowChange, toRow } from './row.ts';
