declare const brand: unique symbol;
/** An instant as RFC 3339 in UTC with milliseconds, `2026-01-02T03:04:05.678Z`: sorts as text. */
export type Instant = string & { readonly [brand]: 'Instant' };

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Parses RFC 3339 (5.6) with any offset and precision; finer than a millisecond is cut off. */
export function parseInstant(text: string): Instant | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const milliseconds = Date.parse(text.replace(/(\.\d{3})\d+/, '$1').replace(' ', 'T'));
  return Number.isNaN(milliseconds) ? undefined : toInstant(milliseconds);
}

export function toInstant(millisecondsSinceEpoch: number): Instant {
  return new Date(millisecondsSinceEpoch).toISOString() as Instant;
}
