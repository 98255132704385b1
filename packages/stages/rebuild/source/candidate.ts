import type { CommitRules, WrittenDefinition } from '@granary/contract/ecosystem';
import type { LocalRepository, TreeEntry } from '@granary/contract/ports';
import { type PinnedArtifact, purlParts, SOURCE_EVIDENCES, type SourceEvidence } from '@granary/core/model';
import { packageDirectory } from './package-directory.ts';
import type { PublishedFile } from './published-files.ts';

/** A commit that may be a release's, and why. */
export interface Candidate {
  readonly commit: string;
  readonly evidence: SourceEvidence;
  /** Of a tag. */
  readonly ref?: string;
}
/**
 * What looking into a candidate came to. `valid`: a manifest of the package's name and version stands in it, or one that leaves its version open and the commit is named by
 * something, or has nearly all of the package. `other-version`: one of its name. `score`: the share of the package's files that stand somewhere in its tree, byte by byte.
 */
export interface Examined extends Candidate {
  readonly standing: 'valid' | 'other-version' | 'no-manifest' | 'absent';
  readonly directory: string;
  readonly score: number;
  /** Files of the package that its tree doesn't have, at most 40. */
  readonly lacking: readonly PublishedFile[];
}
export interface Release {
  readonly target: PinnedArtifact;
  readonly rules: CommitRules;
  readonly files: readonly PublishedFile[];
  readonly claimedDirectory?: string | undefined;
  /** What the service that built it signed, where that was checked. */
  readonly attestedCommit?: string | undefined;
  /** What an operator wrote down. */
  readonly written?: Pick<WrittenDefinition, 'commit' | 'tag' | 'directory'> | undefined;
  /** Only an operator says that it is of this repository. */
  readonly isStated?: boolean | undefined;
  /** What the package or its builder names in another one. */
  readonly overruled?: readonly string[] | undefined;
}

/** A commit that nothing names, or that has another version's manifest or none, is taken only if it has nearly all of the package. */
export const ENOUGH = 0.98;
/** An operator's word names nothing by itself: what is written is looked for in the commit. */
const NAMING: ReadonlySet<SourceEvidence> = new Set(SOURCE_EVIDENCES.filter((evidence) => evidence !== 'content' && evidence !== 'written'));
const MAX_ENTRIES = 500_000;
const MAX_LACKING = 40;
const STANDINGS: readonly Examined['standing'][] = ['valid', 'other-version', 'no-manifest', 'absent'];

/** Looks into a commit: is the package in it, and how much of what was published? */
export async function examine(local: LocalRepository, release: Release, candidate: Candidate): Promise<Examined> {
  const { target, rules, files, claimedDirectory, written } = release;
  const nothing = { ...candidate, directory: '', score: 0, lacking: [] };
  const peeled = (await local.peel([candidate.commit])).get(candidate.commit);
  if (peeled?.type !== 'commit') return { ...nothing, standing: 'absent' };
  const commit = peeled.objectId;
  const tree = await local.tree(commit, { maxEntries: MAX_ENTRIES });
  const found = await packageDirectory(local, tree, { target, rules, claimed: claimedDirectory, only: written?.directory, name: purlParts(target.purl).name });
  const directory = found?.path ?? written?.directory ?? claimedDirectory ?? '';
  const { score, lacking } = scoreOf(files, tree, { ...release, directory });
  if (found === undefined) return { ...candidate, commit, directory, score, lacking, standing: 'no-manifest' };
  const { version } = found.manifest;
  const isOurs = version === undefined ? NAMING.has(candidate.evidence) || score >= ENOUGH : rules.versions(target).includes(version);
  const standing = isOurs ? 'valid' : 'other-version';
  return { ...candidate, commit, directory, score, lacking, standing };
}

function scoreOf(
  files: readonly PublishedFile[],
  tree: readonly TreeEntry[],
  { target, rules, directory }: Pick<Release, 'target' | 'rules'> & { readonly directory: string },
): Pick<Examined, 'score' | 'lacking'> {
  const here = new Set(tree.map(({ objectId }) => objectId));
  // What every packer writes anew tells nothing of a commit.
  const telling = files.filter(({ path }) => rules.placesOf(target, path, directory).length > 0);
  const lacking = telling.filter(({ blobId }) => !here.has(blobId));
  return { score: telling.length === 0 ? 0 : (telling.length - lacking.length) / telling.length, lacking: lacking.slice(0, MAX_LACKING) };
}

/** Best first: what stands in it, then how much of the package, then the evidence. */
export function byFit(one: Examined, other: Examined): number {
  return (
    STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing) ||
    other.score - one.score ||
    SOURCE_EVIDENCES.indexOf(one.evidence) - SOURCE_EVIDENCES.indexOf(other.evidence)
  );
}
