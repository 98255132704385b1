import { z } from 'zod';

/** Decimal and binary multiples (IEC 80000-13). */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A number of bytes, or a size such as `10GiB`, as a number of bytes. */
export const ByteSize = z.union([z.number(), z.string().max(32)]).transform((given, context): number => {
  const bytes = typeof given === 'number' ? given : parseByteSize(given);
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  context.addIssue({ code: 'custom', message: 'expected a size such as 500MiB or 10GiB' });
  return z.NEVER;
});

/** Undefined when it is no size. */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
