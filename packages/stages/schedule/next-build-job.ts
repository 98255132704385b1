import { type BuildInput, type BuildStep, type Definition, stepsFrom } from '@granary/contract/ecosystem';
import { type BlobStore, type Catalog, type Job, StoreError } from '@granary/contract/ports';
import { type Artifact, type Digests, type LocatedBody, type PinnedArtifact, type Sha256, toPurl, toSha256 } from '@granary/core/model';

export interface BuildJobPorts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly syncJob: (artifact: Pick<Artifact, 'purl' | 'digests'>) => Job;
}

/** All that was tried, and the source that is tried now. */
export interface BuildCase {
  readonly steps: readonly BuildStep[];
  readonly source: NonNullable<LocatedBody['source']>;
}

const MAX_DEFINITION_BYTES = 16 * 2 ** 20;

/** The next step from the last plan of an artifact to its verdict: mirror the build closure, build, compare, plan again, build a second time, judge. */
export async function nextBuildJob(ports: BuildJobPorts, artifact: PinnedArtifact, { steps: all, source }: BuildCase): Promise<readonly Job[]> {
  const steps = stepsFrom(all, source);
  const last = steps.at(-1);
  const next = planJob(artifact, all.length + 1);
  if (last === undefined) return [next];
  switch (last.plan.result.type) {
    case 'unresolvable':
      return [next];
    case 'exhausted':
      return [secondBuild(artifact, steps) ?? verdictJob(artifact, all.length)];
    case 'definition': {
      const { definition, against } = last.plan.result;
      if (against === undefined && last.rebuilt === undefined) return await buildJobs(ports, artifact, definition);
      if (against === undefined && last.rebuilt?.body.status !== 'built') return [next];
      if (last.compared === undefined) return [compareJob(artifact, definition)];
      // The first rung can't be bettered; below it the ecosystem decides whether another attempt may help.
      return [last.compared.body.rung === 'identical' ? verdictJob(artifact, all.length) : next];
    }
  }
}

/** What isn't mirrored yet of the build closure, or the build. */
async function buildJobs(ports: BuildJobPorts, artifact: PinnedArtifact, definition: Sha256): Promise<readonly Job[]> {
  const bytes = await ports.blobs.read(definition, MAX_DEFINITION_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `read definition ${definition}: not in the store`);
  const { buildClosure }: Definition = JSON.parse(new TextDecoder().decode(bytes));
  const missing = buildClosure.filter(({ purl }) => ports.catalog.current('stored', purl) === undefined);
  if (missing.length > 0) return missing.map(({ purl, ...stated }) => ports.syncJob({ purl: toPurl(purl), digests: digestsOf(stated) }));
  return [job('rebuild', artifact, `${definition} 1`, { type: 'build', definition, build: 1 })];
}

function digestsOf({ sha256, digests = {} }: Pick<BuildInput, 'sha256' | 'digests'>): Digests {
  return sha256 === undefined ? digests : { sha256: toSha256(sha256) };
}

/** On the first `not-reproduced` the best attempt is built again: if our own builds differ, that is the cause. */
function secondBuild(artifact: PinnedArtifact, steps: readonly BuildStep[]): Job | undefined {
  const compared = steps.filter((step) => step.compared !== undefined && step.rebuilt !== undefined);
  if (compared.length === 0 || compared.some(({ compared: outcome }) => outcome?.body.rung !== 'none')) return undefined;
  const best = compared.toSorted((a, b) => (a.compared?.body.residue ?? 0) - (b.compared?.body.residue ?? 0))[0];
  if (best === undefined || best.again !== undefined || best.plan.result.type !== 'definition') return undefined;
  const { definition } = best.plan.result;
  return job('rebuild', artifact, `${definition} 2`, { type: 'build', definition, build: 2 });
}

function compareJob(artifact: PinnedArtifact, definition: Sha256): Job {
  return job('judge', artifact, `compare ${definition}`, { type: 'compare', definition });
}

/** After another source was tried it is another verdict. */
function verdictJob(artifact: PinnedArtifact, steps: number): Job {
  return job('judge', artifact, `verdict ${steps}`, { type: 'verdict' });
}

function planJob(artifact: PinnedArtifact, attempt: number): Job {
  return job('plan', artifact, `attempt ${attempt}`, { type: 'propose', attempt });
}

function job(stage: 'plan' | 'rebuild' | 'judge', artifact: PinnedArtifact, step: string, payload: object): Job {
  return { id: `${stage} ${artifact.purl} ${step}`, stage, label: artifact.fileName, payload: { ...payload, purl: artifact.purl, sha256: artifact.sha256 } };
}
