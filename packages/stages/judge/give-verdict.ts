import { type BuildStep, isLocatedBy, readBuildHistory, sourceStanding, stepsFrom, storedArtifact } from '@granary/contract/ecosystem';
import { type CatalogFact, JobError } from '@granary/contract/ports';
import { type Comparison, decodeComparison, mainCause } from '@granary/core/compare';
import { type Cause, type ComputedFact, factBody, isSecurityCause, LocatedBody, type Purl, type Sha256, type SourceFinding } from '@granary/core/model';
import { bestStep, type CaseFile, decide, isUnbuilt } from './decide.ts';
import type { JudgePorts } from './judge-ports.ts';

const MAX_COMPARISON_BYTES = 64 * 2 ** 20;

/** Judges an artifact on all that was recorded of it. The verdict's inputs are the published file, the engine, and every fact that it rests on. */
export async function giveVerdict(ports: JudgePorts, purl: Purl): Promise<void> {
  const stored = ports.catalog.current('stored', purl);
  if (stored === undefined) throw new JobError('later', `judge ${purl}: it isn't stored`);
  const artifact = storedArtifact(stored);
  const standing = sourceStanding(ports.catalog, ports.ecosystem, stored, ports.written);
  const located = standing.type === 'ineligible' ? undefined : ports.catalog.current('located', purl);
  const { source, snapshot, findings } = located === undefined ? {} : LocatedBody.parse(located.entry.body);
  const steps = located === undefined ? [] : decisive(ports, stillStanding(await readBuildHistory(ports, artifact), located), source);
  const residueCause = await residueCauseOf(ports, bestStep(steps)?.compared?.body.comparison);
  const file: CaseFile = {
    steps,
    ...(standing.type === 'ineligible' ? { ineligible: standing.failureClass } : {}),
    findings: [...(findings ?? []), ...(await whatCommitLacks(ports, steps, source))],
    isLookedFor: snapshot !== undefined,
    ...(source === undefined ? {} : { tier: source.tier }),
    ...(residueCause === undefined ? {} : { residueCause }),
  };
  const restsOn = steps.flatMap(({ rebuilt, again, compared }) => [rebuilt?.fact.key, again?.fact.key, compared?.fact.key]).filter((key) => key !== undefined);
  const durationMs = steps.reduce((sum, { rebuilt, again }) => sum + (rebuilt?.body.run?.durationMs ?? 0) + (again?.body.run?.durationMs ?? 0), 0);
  const verdict: ComputedFact = {
    kind: 'verdict',
    subject: purl,
    inputs: [artifact.sha256, `engine:${ports.ecosystem.rebuilding?.strategy.engine ?? 0}`, ...(located === undefined ? [] : [located.key]), ...restsOn],
    body: factBody({ sha256: artifact.sha256, ...decide(file), run: { durationMs } }),
  };
  await ports.sink.submit([verdict]);
}

/**
 * What was tried by a definition that an operator wrote counts as long as it is that definition by which the source is located. What was tried without it counts beside it, but no other
 * commit than the one that it led to: nothing takes the place of one that isn't there.
 */
function stillStanding(steps: readonly BuildStep[], located: CatalogFact): readonly BuildStep[] {
  const { source } = LocatedBody.parse(located.entry.body);
  // What is located behind another file of the release has that one's source.
  const isWritten = source?.written !== undefined || !isLocatedBy(located, undefined);
  if (!isWritten) return steps.filter(({ plan }) => plan.source?.written === undefined);
  if (source === undefined) return [];
  const isOfSource = (planned: BuildStep['plan']['source']) =>
    planned === undefined || planned.tier === 'publisher-archive' || (source.kind === 'commit' && planned.id === source.commit);
  return steps.filter(({ plan }) => (plan.source?.written === undefined ? isOfSource(plan.source) : plan.source.written === source.written));
}

/** Where the files of a commit decide, they are those of the one that was found last: a file that another commit has, too, says nothing of this one. */
function decisive(ports: JudgePorts, steps: readonly BuildStep[], source: LocatedBody['source']): readonly BuildStep[] {
  if (source?.kind !== 'commit' || ports.ecosystem.rebuilding?.strategy.commits?.filesDecide !== true) return steps;
  const ofSource = stepsFrom(steps, source);
  return ofSource.length === 0 ? steps : ofSource;
}

/** Whatever else the verdict stands on, such as an archive that the publisher made. */
async function whatCommitLacks(ports: JudgePorts, steps: readonly BuildStep[], source: LocatedBody['source']): Promise<readonly SourceFinding[]> {
  const tried = source?.kind === 'commit' ? stepsFrom(steps, source) : [];
  const best = bestStep(tried);
  if (best?.compared?.body.rung !== 'none') return [];
  const { residue } = await readComparison(ports, best.compared.body.comparison);
  // Files that only a failed build would have made are no finding; other bytes in a file that the commit has are, whatever became of the build.
  // And a package that has less than its commit gives lacks nothing there.
  const telling = residue.filter(({ kind }) => (isUnbuilt(best, tried) ? kind === 'content' : kind !== 'only-rebuild'));
  return telling.some(({ cause }) => cause !== undefined && isSecurityCause(cause)) ? ['commit-lacks-files'] : [];
}

/** The cause that weighs most in what is left. */
async function residueCauseOf(ports: JudgePorts, digest: Sha256 | undefined): Promise<Cause | undefined> {
  return digest === undefined ? undefined : mainCause(await readComparison(ports, digest));
}

async function readComparison(ports: JudgePorts, digest: Sha256): Promise<Comparison> {
  const bytes = await ports.blobs.read(digest, MAX_COMPARISON_BYTES);
  if (bytes === undefined) throw new JobError('later', `judge: comparison ${digest} isn't in the store`);
  const comparison = decodeComparison(bytes);
  if (comparison === undefined) throw new JobError('never', `judge: ${digest} is no comparison`);
  return comparison;
}
