import type { ZipEntry } from '@granary/core/archive';

/** Stamps that build backends write when they are told no time: hatchling, the zip epoch, flit and poetry. */
const DEFAULT_STAMPS: ReadonlySet<number> = new Set([Date.UTC(2020, 1, 2), Date.UTC(1980, 0, 1), Date.UTC(2016, 0, 1)].map((ms) => ms / 1000));

/** The times in a zip, in seconds as if they were UTC: zip states no zone, and counts in steps of two seconds. */
export interface ZipStamps {
  readonly of: (entry: ZipEntry) => number;
  /** The one stamp that all entries carry; undefined when they differ. */
  readonly uniform: number | undefined;
  /** The latest that isn't a backend's default: when the build ran. Undefined when there is none. */
  readonly latest: number | undefined;
}

export function readZipStamps(entries: readonly ZipEntry[]): ZipStamps {
  const of = ({ header }: ZipEntry) => stampOf(header);
  const distinct = [...new Set(entries.map(of))];
  const real = distinct.filter((stamp) => !DEFAULT_STAMPS.has(stamp));
  return { of, uniform: distinct.length === 1 ? distinct[0] : undefined, latest: real.length === 0 ? undefined : Math.max(...real) };
}

export function isDefaultStamp(stamp: number): boolean {
  return DEFAULT_STAMPS.has(stamp);
}

/** APPNOTE 4.4.6: MS-DOS date and time. */
export function stampOf({ dosTime }: Pick<ZipEntry['header'], 'dosTime'>): number {
  const date = dosTime >>> 16;
  const time = dosTime & 0xffff;
  return Date.UTC(1980 + (date >>> 9), ((date >>> 5) & 15) - 1, date & 31, time >>> 11, (time >>> 5) & 63, (time & 31) * 2) / 1000;
}
