import { expect, it } from 'vitest';
import { ByteSize, parseByteSize } from './byte-size.ts';

it.each([
  ['10GiB', 10 * 2 ** 30],
  ['1.5 MiB', 1.5 * 2 ** 20],
  ['2GB', 2e9],
  ['17', 17],
  ['0B', 0],
])('reads %s', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

it.each(['', 'GiB', '-1', '1 giga', '10gib', '1e9', '999999999999999TiB', '1constructor', '0x10'])('refuses %j', (text) => {
  expect(parseByteSize(text)).toBeUndefined();
});

it('takes a number of bytes as it is, and no other number', () => {
  expect(ByteSize.parse(4096)).toBe(4096);
  for (const given of [-1, 1.5, Number.NaN]) expect(ByteSize.safeParse(given).success).toBe(false);
});
