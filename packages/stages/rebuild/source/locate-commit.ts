import type { HeldRepository } from '@granary/contract/repository';
import { releaseTags } from '@granary/core/git';
import { purlParts, type SourceFinding, type SourceTier } from '@granary/core/model';
import { byFit, type Candidate, ENOUGH, type Examined, examine, type Release } from './candidate.ts';
import { byContent, byHistory } from './nearby-commits.ts';
import { byVersion } from './version-commit.ts';

export interface LocatedCommit {
  /** Undefined where no commit of the repository is this release's. */
  readonly chosen: (Examined & { readonly tier: Exclude<SourceTier, 'publisher-archive'> }) | undefined;
  /** All that were looked into, best first. */
  readonly examined: readonly Examined[];
  readonly findings: readonly SourceFinding[];
}

/** Finds the commit that a release was made from, and what its sources say against each other. Throws RepositoryError. */
export async function locateCommit(held: HeldRepository, release: Release, claimedCommit: string | undefined): Promise<LocatedCommit> {
  const { local, state } = held;
  const { target, rules } = release;
  const seen = new Map<string, Examined>();
  const look = async (candidates: readonly Candidate[]): Promise<void> => {
    for (const candidate of candidates) {
      // An id of another length is one of another kind of repository: whoever names it names nothing that could be here.
      const isHere = candidate.commit.length === (state.objectFormat === 'sha1' ? 40 : 64);
      if (!seen.has(keyOf(candidate))) seen.set(keyOf(candidate), isHere ? await examine(local, release, candidate) : absent(candidate));
    }
  };
  const ranked = (): readonly Examined[] => [...seen.values()].toSorted(byFit);
  await look(writtenCandidates(held, release));
  await look(release.attestedCommit === undefined ? [] : [{ commit: release.attestedCommit, evidence: 'attested' }]);
  await look(claimedCommit === undefined ? [] : [{ commit: claimedCommit, evidence: 'embedded' }]);
  for (const examined of await byVersion(local, release)) seen.set(keyOf(examined), examined);
  const tags = releaseTags(state.refs.keys(), { aliases: rules.aliases(target), versions: rules.versions(target) });
  await look(tags.flatMap(({ ref }) => taggedCommit(held, ref)));
  // Where nobody says when it was published, the newest commits are the nearest.
  const around = target.publishedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(target.publishedAt);
  const tips = [...new Set([...state.refs.keys()].flatMap((ref) => state.peeled.get(ref) ?? state.refs.get(ref) ?? []))];
  if (isDecided(release)) return decide(ranked(), release);
  if (ranked()[0]?.standing !== 'valid') await look(await byHistory(local, release, { tips, around }));
  const best = ranked().find(({ standing }) => standing !== 'absent');
  if (best === undefined || best.score < 1) await look(await byContent(local, release, { tips, around, best }));
  return decide(ranked(), release);
}

/** An operator's word for a commit goes before whatever else can be found; what others say is looked into all the same, for what it says against it. */
export function isDecided({ written }: Pick<Release, 'written'>): boolean {
  return written?.commit !== undefined || written?.tag !== undefined;
}

function absent(candidate: Candidate): Examined {
  return { ...candidate, standing: 'absent', directory: '', score: 0, lacking: [] };
}

/** A tag that isn't there names no commit. */
function writtenCandidates(held: HeldRepository, { target, written }: Release): readonly Candidate[] {
  if (written?.commit !== undefined) return [{ commit: written.commit, evidence: 'written' }];
  if (written?.tag === undefined) return [];
  const ref = `refs/tags/${written.tag.replaceAll('{version}', purlParts(target.purl).version ?? '')}`;
  const [tagged] = taggedCommit(held, ref);
  return [{ commit: tagged?.commit ?? '', evidence: 'written', ref }];
}

function keyOf({ evidence, commit, ref = '' }: Candidate): string {
  return `${evidence} ${commit} ${ref}`;
}

function taggedCommit({ state }: HeldRepository, ref: string): readonly Candidate[] {
  const commit = state.peeled.get(ref) ?? state.refs.get(ref);
  return commit === undefined ? [] : [{ commit, evidence: 'tag', ref }];
}

function decide(examined: readonly Examined[], release: Release): LocatedCommit {
  const best = isDecided(release) ? examined.find(({ evidence }) => evidence === 'written') : examined[0];
  const isFound = best !== undefined && best.standing !== 'absent' && (best.evidence === 'written' || isBorneOut(best));
  const chosen = isFound ? { ...best, ...tagOf(best, examined), tier: tierOf(best, examined, release) } : undefined;
  return { chosen, examined, findings: findingsOf(chosen, examined, release) };
}

function isBorneOut({ standing, score }: Examined): boolean {
  return standing === 'valid' || (standing !== 'absent' && score >= ENOUGH);
}

/**
 * What a builder signed is more than a tag, which anybody with a password moves; a commit that a tag of this version names is more than what a publisher wrote into a package. What an
 * operator wrote down raises nothing: of a repository that nobody else names, or a commit that nothing bears out, there is the operator's word alone.
 */
function tierOf(best: Examined, examined: readonly Examined[], { isStated }: Release): Exclude<SourceTier, 'publisher-archive'> {
  if (isStated === true) return 'commit-stated';
  if (examined.some(({ evidence, commit }) => evidence === 'attested' && commit === best.commit)) return 'commit-attested';
  const isTagged = examined.some(({ evidence, commit, standing }) => evidence === 'tag' && commit === best.commit && standing === 'valid');
  if (isTagged) return 'commit-tagged';
  return isBorneOut(best) ? 'commit-inferred' : 'commit-stated';
}

function tagOf(best: Examined, examined: readonly Examined[]): { readonly ref?: string } {
  const tag = examined.find(({ evidence, commit, standing }) => evidence === 'tag' && commit === best.commit && standing === 'valid');
  return tag?.ref === undefined ? {} : { ref: tag.ref };
}

function findingsOf(
  chosen: Examined | undefined,
  examined: readonly Examined[],
  { claimedDirectory, overruled = [] }: Pick<Release, 'claimedDirectory' | 'overruled'>,
): readonly SourceFinding[] {
  const findings: SourceFinding[] = [];
  const named = examined.filter(({ evidence }) => evidence === 'attested' || evidence === 'embedded');
  if (named.some(({ standing }) => standing === 'absent')) findings.push('claimed-commit-missing');
  if (chosen === undefined) return findings;
  const others = named.filter(({ standing, commit }) => standing !== 'absent' && commit !== chosen.commit);
  const differs = others.length > 0;
  const fitsWorse = others.some(({ score, standing }) => score < chosen.score || standing !== chosen.standing);
  // Whoever overrules what the package or its builder says is told so, whichever of them has more of the package. A commit is the same one in every repository that has it.
  const isOverruled = (differs && chosen.evidence === 'written') || overruled.some((commit) => commit !== chosen.commit);
  if (differs || isOverruled) findings.push(fitsWorse || isOverruled ? 'claimed-commit-differs' : 'sources-disagree');
  const otherTag = examined.find(({ evidence, standing, commit }) => evidence === 'tag' && standing === 'valid' && commit !== chosen.commit);
  const isTagged = examined.some(({ evidence, commit }) => evidence === 'tag' && commit === chosen.commit);
  if (!differs && !isTagged && otherTag !== undefined) findings.push('sources-disagree');
  if (claimedDirectory !== undefined && claimedDirectory !== chosen.directory) findings.push('claimed-directory-differs');
  return findings;
}
