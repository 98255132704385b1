export type ContentCoding = 'identity' | 'gzip' | 'br';

interface Preference {
  readonly value: string;
  readonly quality: number;
}

/**
 * The offered media type that the client likes best (RFC 9110 12.5.1); among equals the one offered first. Whoever accepts anything
 * gets the last, which every client reads. Undefined when nothing offered is accepted.
 */
export function negotiateMediaType(accept: string | undefined, offered: readonly string[]): string | undefined {
  const fallback = offered.at(-1);
  if (accept === undefined || accept.trim() === '') return fallback;
  const preferences = parsePreferences(accept);
  const qualityOf = (value: string) => preferences.find((preference) => preference.value === value)?.quality;
  const named = best(offered, qualityOf);
  const [family = ''] = fallback?.split('/') ?? [];
  const anything = qualityOf(`${family}/*`) ?? qualityOf('*/*') ?? 0;
  if (named !== undefined && named.quality >= anything) return named.value;
  return anything > 0 && fallback !== undefined && qualityOf(fallback) !== 0 ? fallback : named?.value;
}

/** RFC 9110 12.5.3. What is forbidden stays forbidden; `identity` is always at hand otherwise. */
export function negotiateCoding(acceptEncoding: string | undefined): ContentCoding {
  if (acceptEncoding === undefined) return 'identity';
  const preferences = parsePreferences(acceptEncoding);
  const anything = preferences.find(({ value }) => value === '*')?.quality ?? 0;
  const qualityOf = (coding: string) => preferences.find(({ value }) => value === coding)?.quality ?? anything;
  const chosen = best(['br', 'gzip'] as const, qualityOf);
  const identity = preferences.find(({ value }) => value === 'identity')?.quality ?? 0;
  return chosen === undefined || chosen.quality < identity ? 'identity' : chosen.value;
}

function best<T extends string>(
  offered: readonly T[],
  qualityOf: (value: T) => number | undefined,
): { readonly value: T; readonly quality: number } | undefined {
  let chosen: { value: T; quality: number } | undefined;
  for (const value of offered) {
    const quality = qualityOf(value) ?? 0;
    if (quality > (chosen?.quality ?? 0)) chosen = { value, quality };
  }
  return chosen;
}

function parsePreferences(header: string): readonly Preference[] {
  return header
    .toLowerCase()
    .split(',', 64)
    .map((part) => {
      const [value = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      const number = quality === undefined ? 1 : Number(quality);
      return { value, quality: number >= 0 && number <= 1 ? number : 0 };
    });
}

/** Remembers the answers to the few headers that clients really send. */
export function remembered<T>(answer: (header: string | undefined) => T, most = 256): (header: string | undefined) => T {
  const known = new Map<string | undefined, { readonly value: T }>();
  return (header) => {
    const before = known.get(header);
    if (before !== undefined) return before.value;
    if (known.size >= most) known.clear();
    const value = answer(header);
    known.set(header, { value });
    return value;
  };
}
