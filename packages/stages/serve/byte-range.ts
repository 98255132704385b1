import type { ByteRange } from '@granary/contract/ports';

/** What a `Range` header asks of a representation (RFC 9110 14). */
export type AskedRange = { readonly type: 'whole' } | { readonly type: 'part'; readonly range: ByteRange } | { readonly type: 'unsatisfiable' };

/** One range of bytes is served; several at once, other units and what can't be read mean the whole, which RFC 9110 14.2 allows. */
export function askedRange(header: string | undefined, sizeBytes: number): AskedRange {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { type: 'whole' };
  // `-n`: the last n bytes.
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return { type: 'whole' };
  return start < end ? { type: 'part', range: { start, end } } : { type: 'unsatisfiable' };
}

/** RFC 9110 13.1.3: only a strong tag that still holds lets a part be sent. */
export function ifRangeHolds(header: string | undefined, etag: string): boolean {
  return header === undefined || header.trim() === etag;
}
