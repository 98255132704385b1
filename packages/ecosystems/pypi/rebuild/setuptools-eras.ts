import type { MetadataShape } from './metadata-shape.ts';
import type { SourceTree } from './source-tree.ts';

/**
 * A range of setuptools releases that write `.dist-info` alike. Wheels made by the `wheel` package (setuptools
 * before 70.1) name only `wheel` in WHEEL, so the range is told from what it wrote. The borders are where two
 * projects with every kind of metadata came out differently, trying all 353 releases from 24.2 to 70.0.
 */
interface SetuptoolsEra {
  readonly from: string;
  readonly until: string;
  /** When the first release of the range was published: earlier builds can't have used it. */
  readonly since: string;
  /** Does the border to the next older range show in this METADATA at all? */
  readonly differs?: (metadata: MetadataShape) => boolean;
}

/** Newest first. What lies between 28.5 and 35.0.2 doesn't run on CPython 3.11. */
const ERAS: readonly SetuptoolsEra[] = [
  { from: '69.0.3', until: '70.1', since: '2023-12-23', differs: ({ name }) => /[_-]/.test(name) },
  { from: '62.2', until: '69.0.3', since: '2022-05-10' },
  { from: '60.9', until: '62.2', since: '2022-02-14' },
  { from: '60.6', until: '60.9', since: '2022-01-30', differs: ({ headers }) => headers.has('Download-URL') },
  { from: '57.1', until: '60.6', since: '2021-07-02', differs: ({ licenseFiles }) => licenseFiles > 1 },
  { from: '57', until: '57.1', since: '2021-05-23' },
  { from: '56.2', until: '57', since: '2021-05-10', differs: ({ multilineLicense }) => multilineLicense },
  { from: '38.7', until: '56.2', since: '2018-03-17', differs: ({ headers }) => headers.has('Author') || headers.has('Maintainer') },
  { from: '38.6', until: '38.7', since: '2018-03-15', differs: ({ headers }) => headers.has('Description-Content-Type') },
  { from: '38.3', until: '38.6', since: '2018-01-05', differs: ({ headers }) => headers.has('Project-URL') },
  { from: '36.4', until: '38.3', since: '2017-09-03' },
  { from: '35.0.2', until: '36.4', since: '2017-04-27' },
  { from: '24.2', until: '28.5', since: '2016-07-20', differs: ({ headers }) => headers.has('Requires-Python') },
  { from: '20.7', until: '24.2', since: '' },
];

/** What setuptools wrote into `.dist-info`, or into PKG-INFO and `.egg-info`, which it makes that of. */
interface WrittenMetadata {
  readonly metadata: MetadataShape;
  readonly entryPointsEndBlank: boolean | undefined;
}

/** Requirements of eras that existed at that time, the likeliest first; of equals the newest. */
export function likelyEras(written: WrittenMetadata, tree: SourceTree, before: string): readonly string[] {
  return joined(written.metadata)
    .filter(({ since }) => since <= before)
    .map((era) => ({ era, votes: votesFor(era, written, tree) }))
    .toSorted((a, b) => b.votes - a.votes)
    .map(({ era: { from, until } }) => `setuptools>=${from},<${until}`);
}

/** Ranges between which this METADATA can't tell are one. */
function joined(metadata: MetadataShape): readonly SetuptoolsEra[] {
  const result: SetuptoolsEra[] = [];
  let until: string | undefined;
  for (const era of ERAS) {
    if (era.differs?.(metadata) === false) {
      until ??= era.until;
      continue;
    }
    result.push({ ...era, until: until ?? era.until });
    until = undefined;
  }
  return result;
}

/** Releases up to the border do it one way, from it on the other. */
function votesFor(era: SetuptoolsEra, written: WrittenMetadata, tree: SourceTree): number {
  const { metadata, entryPointsEndBlank } = written;
  const { headers } = metadata;
  const from = (border: string, weight: number) => (isAtLeast(era.from, border) ? weight : -weight);
  const before = (border: string, weight: number) => -from(border, weight);
  let votes = 0;
  // `Platform: UNKNOWN` may stand in the project's own setup; the blank lines behind the description are the tool's.
  if (metadata.platforms.includes('UNKNOWN')) votes += before('62.2', 2);
  else if (tree.pkgInfo?.platforms.includes('UNKNOWN') === true) votes += from('62.2', 1);
  votes += metadata.trailingNewlines >= 3 ? before('62.2', 3) : from('62.2', 3);
  if (metadata.licenseFiles > 0) votes += from('57', 4);
  else if (tree.licenseFiles > 0) votes += before('57', 2);
  if (entryPointsEndBlank !== undefined) votes += entryPointsEndBlank ? before('60.9', 2) : from('60.9', 1);
  if (metadata.name.includes('_')) votes += from('69.0.3', 4);
  if (headers.has('Maintainer')) votes += from('38.7', 4);
  if (headers.has('Project-URL')) votes += from('38.3', 4);
  if (metadata.unknownContentType) votes += before('38.6', 2) + from('36.4', 4);
  if (headers.has('Requires-Python')) votes += from('24.2', 4);
  return votes;
}

function isAtLeast(version: string, border: string): boolean {
  const [left, right] = [version, border].map((text) => text.split('.').map(Number));
  for (let place = 0; place < 3; place += 1) {
    const difference = (left?.[place] ?? 0) - (right?.[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
