import { checkLedger, type LedgerReport, storeSource } from '@granary/stage-ledger';
import type { SiteReader } from '../roles/site-reader.ts';

export interface CheckedLedger {
  readonly side: 'public' | 'private';
  readonly report: LedgerReport;
}

/** Both ledgers, from the bytes, and every blob and envelope that they name, by digest. */
export async function checkLedgers({ ledgers, publicStore }: SiteReader): Promise<readonly CheckedLedger[]> {
  const checked: CheckedLedger[] = [];
  for (const { side, origin, verifierKey, store } of ledgers) {
    const blobs = store === publicStore ? [store.blobs] : [store.blobs, publicStore.blobs];
    const report = await checkLedger({ source: storeSource(store.objects, origin), origin, verifierKey, objects: store.objects, blobs, blobCheck: 'digest' });
    checked.push({ side, report });
  }
  return checked;
}

export function formatLedgerReport({ side, report }: CheckedLedger): string {
  const kinds = Object.entries(report.entries).map(([kind, count]) => `${kind} ${count}`);
  const problems = report.problems.map(({ index, message }) => `  problem${index === undefined ? '' : ` at entry ${index}`}: ${message}`);
  const omitted = report.omitted === 0 ? [] : [`  and ${report.omitted} more`];
  const verdict = report.problems.length === 0 ? 'every tile, entry and blob is as it was signed' : 'problems were found';
  return [
    `${side} ledger ${report.origin}: ${report.size} entries, root ${report.root}, ${report.blobs} blobs`,
    `  ${kinds.join(', ')}`,
    `  ${verdict}`,
    ...problems,
    ...omitted,
  ].join('\n');
}
