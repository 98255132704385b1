import type { SourceTree } from './source-tree.ts';
import type { WheelEvidence } from './wheel-evidence.ts';

/** A file's time in the source archive (UTC), and by how much its stamp in the zip, local time, is off. */
interface Sighting {
  readonly mtime: number;
  readonly offset: number;
}
/** When summer time begins and ends: `Mm.w.0` of POSIX TZ, at hours that may hang on the offset from UTC. */
interface SummerTime {
  readonly begins: readonly [month: number, week: number];
  readonly ends: readonly [month: number, week: number];
  readonly hours: (standard: number) => readonly [begin: number, end: number];
}

const HOUR = 3600;
const QUARTER_HOUR = 900;
const LARGEST_OFFSET = 14 * HOUR;
const SUMMER_TIMES: readonly SummerTime[] = [
  // The European Union and its neighbours change at 01:00 UTC.
  { begins: [3, 5], ends: [10, 5], hours: (standard) => [1 + standard / HOUR, 2 + standard / HOUR] },
  { begins: [3, 2], ends: [11, 1], hours: () => [2, 2] },
  { begins: [10, 1], ends: [4, 1], hours: () => [2, 3] },
];

/**
 * The zone in which the publisher's build ran, as a POSIX TZ value; undefined when it was UTC or can't be told. Zip stamps are
 * local time where a backend takes them from files; the source archive has the same times in UTC.
 */
export function zoneOf(wheel: WheelEvidence, tree: SourceTree): string | undefined {
  const sightings = sightingsOf(wheel, tree);
  const offsets = [...Map.groupBy(sightings, ({ offset }) => offset)].toSorted((a, b) => b[1].length - a[1].length).map(([offset]) => offset);
  const [most] = offsets;
  if (most === undefined) return undefined;
  const [standard = most, summer] = offsets.toSorted((a, b) => a - b);
  if (offsets.length === 2 && summer === standard + HOUR) {
    const rule = SUMMER_TIMES.find((candidate) =>
      sightings.every(({ mtime, offset }) => offset === (isSummer(mtime, standard, candidate) ? summer : standard)),
    );
    if (rule !== undefined) return withSummer(standard, rule);
  }
  return most === 0 ? undefined : `LOC${posixOffset(most)}`;
}

function sightingsOf({ payload }: WheelEvidence, { files }: SourceTree): readonly Sighting[] {
  const times = new Map(files.map(({ path, mtime }) => [path, mtime]));
  return payload.flatMap(({ path, stamp }) => {
    const mtime = times.get(path) ?? times.get(`src/${path}`) ?? times.get(`lib/${path}`);
    if (mtime === undefined) return [];
    const offset = Math.round((stamp - mtime) / QUARTER_HOUR) * QUARTER_HOUR;
    return Math.abs(stamp - mtime - offset) <= 2 && Math.abs(offset) <= LARGEST_OFFSET ? [{ mtime, offset }] : [];
  });
}

function isSummer(mtime: number, standard: number, { begins, ends, hours }: SummerTime): boolean {
  const year = new Date((mtime + standard) * 1000).getUTCFullYear();
  const [beginHour, endHour] = hours(standard);
  const begin = sundayOf(year, begins) + beginHour * HOUR - standard;
  const end = sundayOf(year, ends) + endHour * HOUR - standard - HOUR;
  return begin < end ? mtime >= begin && mtime < end : mtime >= begin || mtime < end;
}

/** Midnight of the n-th Sunday of a month, the 5th being the last; in seconds, as if it were UTC. */
function sundayOf(year: number, [month, week]: readonly [month: number, week: number]): number {
  const first = Date.UTC(year, month - 1, 1);
  const day = 1 + ((7 - new Date(first).getUTCDay()) % 7) + (week - 1) * 7;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return Date.UTC(year, month - 1, day > days ? day - 7 : day) / 1000;
}

function withSummer(standard: number, { begins, ends, hours }: SummerTime): string {
  const [begin, end] = hours(standard);
  return `LOC${posixOffset(standard)}LOS${posixOffset(standard + HOUR)},M${begins.join('.')}.0/${begin},M${ends.join('.')}.0/${end}`;
}

/** POSIX counts westwards. */
function posixOffset(offset: number): string {
  const minutes = Math.abs(offset) / 60;
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  return `${offset > 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
