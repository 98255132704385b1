export { type DumpedLedger, dumpLedger, dumpRow, type RowSpan, type SkippedLeaves } from './dump.ts';
export type { PurlMemo } from './purl-columns.ts';
export { type CatalogRow, FOLD_VERSION, type RowChange, toRow } from './row.ts';
