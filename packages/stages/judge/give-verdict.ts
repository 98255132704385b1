import { readBuildHistory, storedArtifact } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import type { Comparison } from '@granary/core/compare';
import { type Cause, type ComputedFact, factBody, LocatedBody, type Purl } from '@granary/core/model';
import { bestStep, type CaseFile, decide } from './decide.ts';
import type { JudgePorts } from './judge-ports.ts';

const MAX_COMPARISON_BYTES = 64 * 2 ** 20;

/** Judges an artifact on all that was recorded of it. The verdict's inputs are the published file, the engine, and every fact that it rests on. */
export async function giveVerdict(ports: JudgePorts, purl: Purl): Promise<void> {
  const stored = ports.catalog.current('stored', purl);
  if (stored === undefined) throw new JobError('later', `judge ${purl}: it isn't stored`);
  const artifact = storedArtifact(stored);
  const eligible = ports.ecosystem.rebuild.eligible(artifact);
  const steps = eligible.ok ? await readBuildHistory(ports, artifact) : [];
  const located = eligible.ok ? ports.catalog.current('located', purl) : undefined;
  const source = located === undefined ? undefined : LocatedBody.parse(located.entry.body).source;
  const residueCause = await residueCauseOf(ports, bestStep(steps)?.compared?.body.comparison);
  const file: CaseFile = {
    steps,
    ...(eligible.ok ? {} : { ineligible: eligible.failureClass }),
    ...(source === undefined ? {} : { tier: source.tier }),
    ...(residueCause === undefined ? {} : { residueCause }),
  };
  const restsOn = steps.flatMap(({ rebuilt, again, compared }) => [rebuilt?.fact.key, again?.fact.key, compared?.fact.key]).filter((key) => key !== undefined);
  const durationMs = steps.reduce((sum, { rebuilt, again }) => sum + (rebuilt?.body.run?.durationMs ?? 0) + (again?.body.run?.durationMs ?? 0), 0);
  const verdict: ComputedFact = {
    kind: 'verdict',
    subject: purl,
    inputs: [artifact.sha256, `engine:${ports.ecosystem.rebuild.engine}`, ...(located === undefined ? [] : [located.key]), ...restsOn],
    body: factBody({ sha256: artifact.sha256, ...decide(file), run: { durationMs } }),
  };
  await ports.sink.submit([verdict]);
}

/** The cause that most of the residue has, the security-relevant ones first. */
async function residueCauseOf(ports: JudgePorts, digest: Comparison['upstream'] | undefined): Promise<Cause | undefined> {
  if (digest === undefined) return undefined;
  const bytes = await ports.blobs.read(digest, MAX_COMPARISON_BYTES);
  if (bytes === undefined) throw new JobError('later', `judge: comparison ${digest} isn't in the store`);
  const comparison: Comparison = JSON.parse(new TextDecoder().decode(bytes));
  const causes = comparison.residue.map(({ cause }): Cause => cause ?? 'content-unexplained');
  const alarming: readonly Cause[] = ['integrity-metadata-wrong', 'content-unexplained', 'extra-upstream-files', 'missing-upstream-files'];
  const found = alarming.find((cause) => causes.includes(cause));
  if (found !== undefined) return found;
  const counts = Map.groupBy(causes, (cause) => cause);
  return [...counts].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))[0]?.[0];
}
