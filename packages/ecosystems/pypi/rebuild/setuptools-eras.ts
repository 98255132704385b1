import type { SdistEvidence } from './sdist-evidence.ts';
import type { WheelEvidence } from './wheel-evidence.ts';

/**
 * Ranges of setuptools releases that write `.dist-info` alike. Wheels made by the `wheel` package (setuptools
 * before 70.1) name only `wheel` in WHEEL, so the range is told from what it wrote. The borders are where a
 * project with extras, entry points, licence files and a name with `_` and `.` came out differently, trying
 * every release.
 */
export interface SetuptoolsEra {
  readonly requirement: string;
  /** Day on which the first release of the range was published: earlier builds can't have used it. */
  readonly since: string;
}

/** CPython 3.11 runs no setuptools before 41.1, of this day: older wheels are built with tools of then. */
export const OLDEST_USABLE = '2019-08-14';

/** Newest first. */
const ERAS = [
  { requirement: 'setuptools>=69.0.3,<70.1', since: '2023-12-23' },
  { requirement: 'setuptools>=62.2,<69.0.3', since: '2022-05-07' },
  { requirement: 'setuptools>=60.9,<62.2', since: '2022-02-13' },
  { requirement: 'setuptools>=57,<60.9', since: '2021-05-21' },
  { requirement: 'setuptools>=41.1,<57', since: OLDEST_USABLE },
] as const satisfies readonly SetuptoolsEra[];

/** Index into {@link ERAS} of the era with which a feature came or went. */
const KEEPS_UNDERSCORES = 0;
const NO_UNKNOWN_PLATFORM = 1;
const NO_BLANK_AFTER_ENTRY_POINTS = 2;
const LISTS_LICENSE_FILES = 3;

/** Eras that existed at that time, the likeliest first; of equals the newest. */
export function likelyEras(wheel: WheelEvidence, sdist: SdistEvidence, before: string): readonly SetuptoolsEra[] {
  const existing = ERAS.map((era, index) => ({ era, votes: votesFor(index, wheel, sdist) })).filter(({ era }) => era.since <= before);
  return existing.toSorted((a, b) => b.votes - a.votes).map(({ era }) => era);
}

function votesFor(index: number, wheel: WheelEvidence, sdist: SdistEvidence): number {
  const { metadata, entryPointsEndBlank } = wheel;
  let votes = 0;
  const atLeast = (era: number, weight: number) => {
    votes += index <= era ? weight : -weight;
  };
  const before = (era: number, weight: number) => {
    votes += index > era ? weight : -weight;
  };
  // `Platform: UNKNOWN` may also stand in the project's own setup; the blank lines after the description come from the tool.
  if (metadata.platforms.includes('UNKNOWN')) before(NO_UNKNOWN_PLATFORM, 2);
  else if (sdist.pkgInfo?.platforms.includes('UNKNOWN') === true) atLeast(NO_UNKNOWN_PLATFORM, 1);
  if (metadata.trailingNewlines >= 3) before(NO_UNKNOWN_PLATFORM, 3);
  else atLeast(NO_UNKNOWN_PLATFORM, 3);
  if (metadata.licenseFiles > 0) atLeast(LISTS_LICENSE_FILES, 4);
  else if (sdist.licenseFiles > 0) before(LISTS_LICENSE_FILES, 2);
  if (entryPointsEndBlank === true) before(NO_BLANK_AFTER_ENTRY_POINTS, 2);
  if (entryPointsEndBlank === false) atLeast(NO_BLANK_AFTER_ENTRY_POINTS, 1);
  if (metadata.name.includes('_')) atLeast(KEEPS_UNDERSCORES, 4);
  return votes;
}
