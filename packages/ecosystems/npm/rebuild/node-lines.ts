import { intersects, minVersion, satisfies, subset, validRange } from 'semver';

/** A line of Node, and the npm that came with its releases. */
export interface NodeLine {
  readonly major: number;
  readonly npm: string;
  /** From when on it was the one with long-term support, and what it is called then. */
  readonly support?: { readonly since: string; readonly name: string };
}

/** Node.js release schedule (project Release, schedule.json) and release index (`npm` in index.json). Newer lines are the root filesystem's. */
const LINES: readonly NodeLine[] = [
  { major: 4, npm: '^2 || ^3', support: { since: '2015-10-12', name: 'argon' } },
  { major: 5, npm: '^3' },
  { major: 6, npm: '^3', support: { since: '2016-10-18', name: 'boron' } },
  { major: 7, npm: '^3 || ^4' },
  { major: 8, npm: '^5 || ^6', support: { since: '2017-10-31', name: 'carbon' } },
  { major: 9, npm: '^5' },
  { major: 10, npm: '^6', support: { since: '2018-10-30', name: 'dubnium' } },
  { major: 11, npm: '^6' },
  { major: 12, npm: '^6', support: { since: '2019-10-21', name: 'erbium' } },
  { major: 13, npm: '^6' },
  { major: 14, npm: '^6', support: { since: '2020-10-27', name: 'fermium' } },
  { major: 15, npm: '^7' },
  { major: 16, npm: '^8', support: { since: '2021-10-26', name: 'gallium' } },
  { major: 17, npm: '^8' },
  { major: 18, npm: '^8 || ^9 || ^10', support: { since: '2022-10-25', name: 'hydrogen' } },
  { major: 19, npm: '^8 || ^9' },
  { major: 20, npm: '^10', support: { since: '2023-10-24', name: 'iron' } },
  { major: 21, npm: '^10' },
  { major: 22, npm: '^10', support: { since: '2024-10-29', name: 'jod' } },
  { major: 23, npm: '^10 || ^11' },
  { major: 24, npm: '^11', support: { since: '2025-10-28', name: 'krypton' } },
  { major: 25, npm: '^11' },
];
const SUPPORTED = LINES.flatMap(({ support, ...line }) => (support === undefined ? [] : [{ ...line, support }])).toReversed();
const OLDEST: NodeLine = { major: 4, npm: '^2' };

/** The newest line that had long-term support on a day and does for what a package asks of Node; where none does, the newest. */
export function lineOf(day: string, engines: string | undefined): NodeLine {
  const then = SUPPORTED.filter(({ support }) => support.since <= day);
  const fitting = engines === undefined ? undefined : then.find(({ major }) => doesFor(major, engines));
  return fitting ?? then[0] ?? OLDEST;
}

/** Whether the newest releases of a line are within a range. */
function doesFor(major: number, engines: string): boolean {
  return satisfies(`${major}.999.999`, engines) || (validRange(engines) !== null && subset(engines, `${major}.x`));
}

/** By the name of its long-term support, such as `iron`; undefined for any other. */
export function lineNamed(name: string): NodeLine | undefined {
  return SUPPORTED.find(({ support }) => support.name === name);
}

/**
 * From when on which npm came with the newest release that had long-term support (release index, `date` and `npm`): that is how new a npm can be, where a registry dates all of
 * its releases by when it took them in.
 */
const NEWEST_NPM: readonly (readonly [since: string, npm: string])[] = [
  ['2016-10-18', '3.10.8'],
  ['2017-01-31', '3.10.10'],
  ['2017-10-31', '5.5.1'],
  ['2018-01-03', '5.6.0'],
  ['2018-09-10', '6.4.1'],
  ['2019-05-28', '6.9.0'],
  ['2019-10-21', '6.12.0'],
  ['2019-12-17', '6.13.4'],
  ['2020-04-08', '6.14.4'],
  ['2020-10-27', '6.14.8'],
  ['2021-05-11', '6.14.13'],
  ['2021-10-26', '8.1.0'],
  ['2022-02-08', '8.3.1'],
  ['2022-04-26', '8.5.5'],
  ['2022-08-16', '8.15.0'],
  ['2022-10-25', '8.19.2'],
  ['2023-02-01', '9.3.1'],
  ['2023-07-18', '9.6.7'],
  ['2023-10-24', '10.1.0'],
  ['2023-11-22', '10.2.3'],
  ['2024-03-26', '10.5.0'],
  ['2024-05-28', '10.7.0'],
  ['2024-10-29', '10.9.0'],
  ['2025-10-28', '11.6.1'],
];

/** The npm that came with what a range of Node begins with, no newer than on a day; where that leaves none, any of that line. */
export function npmWith(node: string, day: string): string {
  const lowest = minVersion(node)?.major ?? 0;
  const { npm } = LINES.findLast(({ major }) => major <= lowest) ?? OLDEST;
  const [, newest] = NEWEST_NPM.findLast(([since]) => since <= day) ?? [];
  const known = newest === undefined ? [] : npm.split(' || ').filter((range) => intersects(range, `<=${newest}`));
  return known.length === 0 ? npm : known.map((range) => `${range} <=${newest}`).join(' || ');
}
