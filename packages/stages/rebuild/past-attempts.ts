import type { Attempt, BuildStep } from '@granary/contract/ecosystem';
import { type BlobStore, JobError } from '@granary/contract/ports';
import { decodeComparison } from '@granary/core/compare';
import { storedBytes } from './stored-bytes.ts';

const MAX_RECORD_BYTES = 16 * 2 ** 20;

/** What an attempt that is on record came to, as strategies see it; undefined where it tried nothing. Throws JobError `at-once` while it isn't over. */
export async function attemptOf(blobs: BlobStore, step: BuildStep): Promise<Attempt | undefined> {
  const { proposal, result } = step.plan;
  if (proposal === undefined || result.type === 'exhausted') return undefined;
  if (result.type === 'unresolvable') return { proposal, outcome: result };
  const built = step.rebuilt?.body;
  if (built === undefined && result.against === undefined) throw new JobError('at-once', `plan: definition ${result.definition} wasn't built yet`);
  if (built?.status === 'needs') return { proposal, outcome: { type: 'needs', requirements: built.requirements } };
  if (built?.status === 'failed') {
    const log = built.run?.log === undefined ? undefined : await blobs.read(built.run.log, MAX_RECORD_BYTES);
    return { proposal, outcome: { type: 'failed', failureClass: built.failureClass, log: new TextDecoder().decode(log ?? new Uint8Array()) } };
  }
  if (step.compared === undefined) throw new JobError('at-once', `plan: what ${result.definition} came to wasn't compared yet`);
  const comparison = decodeComparison(await storedBytes(blobs, step.compared.body.comparison));
  if (comparison === undefined) throw new JobError('never', `plan: ${step.compared.body.comparison} is no comparison`);
  return { proposal, outcome: { type: 'compared', comparison } };
}
