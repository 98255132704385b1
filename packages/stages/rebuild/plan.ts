import {
  type Attempt,
  definitionJson,
  encodePlan,
  type PlanRecord,
  type Proposed,
  type RebuildSubject,
  readBuildHistory,
  stepsFrom,
} from '@granary/contract/ecosystem';
import { type CatalogFact, JobError } from '@granary/contract/ports';
import { canonicalJson, type Purl, toInstant } from '@granary/core/model';
import { define } from './define.ts';
import { locatedSource, targetOf } from './locate.ts';
import { attemptOf } from './past-attempts.ts';
import { precedentOf } from './precedent.ts';
import type { PlanPorts } from './rebuild-ports.ts';
import { resolveClosure } from './resolve-closure.ts';
import { subjectOf } from './subject.ts';
import { upstreamIndex } from './upstream-index.ts';
import { readWritten, withWritten } from './written.ts';

/** Of what nobody says when it was published. */
const BEGINNING = toInstant(0);

export interface AttemptToPlan {
  readonly purl: Purl;
  readonly attempt: number;
}

/**
 * Plans the next attempt at an artifact from what the earlier ones came to, and records it: a definition with its exact build
 * closure, that its requirements can't be resolved, or that there is nothing left to try. Pure planning lies in the ecosystem;
 * requirements are resolved on upstream's index as it stood when the artifact was published. Does nothing when that attempt, counted from
 * 1, is on record: a plan that is made again must not become the one after it.
 */
export async function planAttempt(ports: PlanPorts, { purl, attempt }: AttemptToPlan, signal?: AbortSignal): Promise<void> {
  const target = targetOf(ports, purl);
  // As of now: what somebody else plans meanwhile makes this one stale, and it is refused.
  const previous = ports.catalog.current('wanted', purl);
  const steps = await readBuildHistory(ports, target);
  if (steps.length >= attempt) return;
  if (steps.length + 1 < attempt) throw new JobError('at-once', `plan attempt ${attempt} at ${purl}: only ${steps.length} are known here yet`);
  const located = locatedSource(ports, purl);
  const id = located.kind === 'archive' ? located.sha256 : located.commit;
  const source = { id, tier: located.tier, ...(located.written === undefined ? {} : { written: located.written }) };
  const planned: Planned = { purl, previous, attempt, source };
  const attempts = (await Promise.all(stepsFrom(steps, located).map((step) => attemptOf(ports.blobs, step)))).flatMap((made) => made ?? []);
  // Whoever has nothing to build needs no tree to say so.
  const isDecided = located.kind === 'commit' && ports.ecosystem.rebuilding.strategy.commits?.filesDecide === true && attempts.length > 0;
  if (isDecided) return await record(ports, planned, { result: { type: 'exhausted' } });
  const subject = await subjectOf(ports, target, located);
  const proposed = await propose(ports, subject, attempts);
  if (proposed.type === 'exhausted') {
    const { failureClass, detail } = proposed;
    const result = { type: 'exhausted' as const, ...(failureClass === undefined ? {} : { failureClass }), ...(detail === undefined ? {} : { detail }) };
    return await record(ports, planned, { result });
  }
  const written = located.written === undefined ? undefined : await readWritten(ports.blobs, located.written);
  const proposal = withWritten(proposed.proposal, written);
  const closure = await resolveClosure(ports, proposal, signal);
  if (!closure.ok) return await record(ports, planned, { proposal, result: { type: 'unresolvable', why: closure.why, detail: closure.detail } });
  const definition = new TextEncoder().encode(
    canonicalJson(
      definitionJson(
        await define(ports, subject, {
          proposal: { ...proposal, before: closure.asOf },
          closure: closure.artifacts,
          written,
        }),
      ),
    ),
  );
  const blob = await ports.blobs.put(definition, { maxBytes: definition.length });
  const against = proposal.method === 'source-files' ? { against: subject.source.sha256 } : {};
  await record(ports, planned, { proposal, result: { type: 'definition', definition: blob.sha256, ...against } }, closure.artifacts.length);
}

/** The files of a commit come first, whatever the ecosystem: that takes no build, and says what a build has to explain. */
async function propose(ports: PlanPorts, subject: RebuildSubject, attempts: readonly Attempt[]): Promise<Proposed> {
  const isLookedAt = subject.source.kind === 'archive' || attempts.some(({ proposal }) => proposal.method === 'source-files');
  if (!isLookedAt) {
    const before = subject.target.publishedAt ?? BEGINNING;
    return { type: 'build', proposal: { method: 'source-files', requirements: [], before, settings: {}, parameters: [], assists: [], notes: [] } };
  }
  const runtimeVersion = (await ports.environment())?.runtimeVersion ?? '';
  const precedent = await precedentOf(ports, subject.target);
  const index = await upstreamIndex(ports, subject.target);
  const known = { ...subject, runtimeVersion, ...(precedent === undefined ? {} : { precedent }), ...(index === undefined ? {} : { index }) };
  return await ports.ecosystem.rebuilding.strategy.propose(known, attempts);
}

interface Planned {
  readonly purl: Purl;
  readonly previous: CatalogFact | undefined;
  readonly attempt: number;
  readonly source: NonNullable<PlanRecord['source']>;
}

async function record(
  ports: PlanPorts,
  { purl, previous, attempt, source }: Planned,
  plan: Pick<PlanRecord, 'proposal' | 'result'>,
  artifacts = 0,
): Promise<void> {
  const bytes = encodePlan({ attempt, source, ...plan });
  const manifest = await ports.blobs.put(bytes, { maxBytes: bytes.length });
  await ports.sink.submit([
    { kind: 'wanted', subject: purl, body: { role: 'build', manifest: manifest.sha256, artifacts }, ...(previous === undefined ? {} : { prev: previous.key }) },
  ]);
}
