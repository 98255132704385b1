import type { Instant } from '@granary/core/model';

/** `Retry-After` (RFC 9110 10.2.3) in milliseconds from now: delay in seconds or a date. Undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now: Instant): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // HTTP-date only: Date.parse alone would take '2' or '1.5' for a date.
  const date = /GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.parse(now));
}

/** Full jitter: nobody comes back at the same moment as all others. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(10_000, 250 * 2 ** attempt);
}
