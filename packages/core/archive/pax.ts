import { ArchiveError } from './archive-error.ts';

export type PaxRecord = readonly [key: string, value: string];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Records of a pax extended header: `<length> <key>=<value>\n`, the length counting itself (POSIX.1-2017 pax, "pax Extended Header"). */
export function parsePax(data: Buffer): readonly PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const digits = space === -1 ? '' : data.toString('latin1', at, space);
    if (!/^[1-9][0-9]{0,9}$/.test(digits)) throw malformed('a record without a length');
    const end = at + Number(digits);
    const equals = data.indexOf(0x3d, space);
    if (end > data.length || data[end - 1] !== 0x0a || equals === -1 || equals >= end) throw malformed('a record that is not as long as it says');
    records.push([decode(data.subarray(space + 1, equals)), decode(data.subarray(equals + 1, end - 1))]);
    at = end;
  }
  if (records.some(([key]) => key.startsWith('GNU.sparse.') || key === 'SCHILY.realsize')) throw new ArchiveError('sparse', 'tar: a sparse entry');
  return records;
}

/** The value that holds for a key: the last one given; an empty one unsets it. */
export function paxValue(records: readonly PaxRecord[], key: string): string | undefined {
  const value = records.findLast(([name]) => name === key)?.[1];
  return value === '' ? undefined : value;
}

/** As {@link paxValue}, for whole numbers. */
export function paxNumber(records: readonly PaxRecord[], key: string): number | undefined {
  const value = paxValue(records, key);
  if (value === undefined) return undefined;
  const number = /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw malformed(`a ${key} that is no whole number`);
  return number;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ArchiveError('malformed', 'tar: a pax header that is not UTF-8', { cause });
  }
}

function malformed(what: string): ArchiveError {
  return new ArchiveError('malformed', `tar: a pax header with ${what}`);
}
