import {
  type Closure,
  closureSize,
  decodeClosure,
  type Ecosystem,
  installTrial,
  overQuota,
  readBuildHistory,
  rebuildEligibility,
  restsOn,
  sourceStanding,
  storedArtifact,
  type WrittenDefinitions,
} from '@granary/contract/ecosystem';
import { type BlobStore, type Catalog, type CatalogFact, type Job, StoreError } from '@granary/contract/ports';
import { isSummaryOf } from '@granary/core/bundle';
import {
  type Artifact,
  ObservedBody,
  type PinnedArtifact,
  type Purl,
  packageOf,
  purlParts,
  type Sha256,
  sha256,
  toPurl,
  WantedBody,
  WatchedBody,
} from '@granary/core/model';
import { nextBuildJob } from './next-build-job.ts';
import { type MirroredRepositories, repositoryJobs } from './repository-jobs.ts';

/** What the scheduler compares: what is wanted, what is recorded. */
export interface SweepPorts {
  readonly ecosystemOf: (type: string) => Pick<Ecosystem, 'id' | 'rebuilding' | 'installing'> | undefined;
  readonly catalog: Catalog;
  /** Where closures and plans lie. */
  readonly privateBlobs: BlobStore;
  readonly publicBlobs: BlobStore;
  /** Digest of the policy that summaries are signed for: after another one they are signed anew. */
  readonly policy: Sha256;
  readonly repositories: MirroredRepositories;
  /** What operators wrote down; left out where they didn't. */
  readonly written?: WrittenDefinitions | undefined;
}
export interface Standing {
  readonly jobs: readonly Job[];
  /** Every artifact that the watch list comes to. */
  readonly wanted: readonly Artifact[];
  /** What was asked for and can't be had, by specification. */
  readonly missing: ReadonlyMap<string, readonly string[]>;
}

const MAX_CLOSURE_BYTES = 64 * 2 ** 20;

/**
 * Wanted minus recorded, as jobs: the only place that knows the order of the stages. It may be run at any time and any number
 * of times; what is queued already is dropped by the queue.
 */
export async function sweep(ports: SweepPorts): Promise<Standing> {
  const jobs: Job[] = [];
  const wanted = new Map<Purl, Artifact>();
  const missing = new Map<string, readonly string[]>();
  const repositories = new Set<Purl>();
  for (const watched of ports.catalog.all('watched')) {
    const { key, entry } = watched;
    const { state, quotaBytes } = WatchedBody.parse(entry.body);
    if (state !== 'active') continue;
    const closure = await closureOf(ports, entry.subject);
    const standing = closure?.watched === key ? staleSince(ports.catalog, closure) : 'first';
    if (standing !== undefined) jobs.push(demandJob(entry.subject, key, standing));
    if (closure === undefined) continue;
    jobs.push(...trialJobs(ports, watched, closure));
    const taken = withinQuota(ports.catalog, closure, quotaBytes);
    for (const repository of closure.repositories) repositories.add(repository);
    for (const artifact of taken.artifacts) wanted.set(artifact.purl, artifact);
    if (taken.missing.length > 0) missing.set(entry.subject, taken.missing);
  }
  jobs.push(...repositoryJobs(ports.catalog, ports.repositories, { watched: repositories, artifacts: wanted.values(), written: ports.written }));
  for (const artifact of wanted.values()) jobs.push(...(await artifactJobs(ports, artifact)));
  return { jobs: [...new Map(jobs.map((job) => [job.id, job])).values()], wanted: [...wanted.values()], missing };
}

/** Once all of a product is stored, and again with another lock or other files. It holds up nothing. */
function trialJobs({ catalog, ecosystemOf }: SweepPorts, watched: CatalogFact, closure: Closure): readonly Job[] {
  if (closure.watched !== watched.key || closure.missing.length > 0) return [];
  const { subject: specification } = watched.entry;
  const types = new Set(closure.artifacts.map(({ purl }) => typeOf(purl)));
  return [...types].flatMap((type): readonly Job[] => {
    const ecosystem = ecosystemOf(type);
    const trial = ecosystem === undefined ? undefined : installTrial(catalog, watched, closure, ecosystem);
    if (trial === undefined || catalog.byKey(trial.key) !== undefined) return [];
    const payload = { type: 'try', specification, ecosystem: type };
    return [{ id: `try ${trial.key}`, stage: 'rebuild', label: `install of ${specification}`, urgency: 'whenever', payload }];
  });
}

function typeOf(purl: Purl): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}

async function closureOf(ports: SweepPorts, specification: string): Promise<Closure | undefined> {
  const fact = ports.catalog.current('wanted', specification);
  if (fact === undefined) return undefined;
  const { manifest } = WantedBody.parse(fact.entry.body);
  const bytes = await ports.privateBlobs.read(manifest, MAX_CLOSURE_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `read closure ${manifest} of ${specification}: not in the private store`);
  return decodeClosure(bytes);
}

/** Many registries tell a size with the file only: once what came is above the quota, the rest is left. */
function withinQuota(catalog: Catalog, closure: Closure, quotaBytes: number | undefined): Pick<Closure, 'artifacts' | 'missing'> {
  const why = quotaBytes === undefined ? undefined : overQuota(closureSize(catalog, closure.artifacts), quotaBytes);
  if (why === undefined) return closure;
  return { artifacts: closure.artifacts.filter(({ purl }) => catalog.current('stored', purl) !== undefined), missing: [...closure.missing, why] };
}

/** A package of the closure was observed with another index than the one it was resolved on: which indexes are on record now. */
function staleSince(catalog: Catalog, closure: Closure): Sha256 | undefined {
  const moved = Object.entries(closure.basis).flatMap(([packagePurl, document]) => {
    const observed = catalog.current('observed', packagePurl);
    const now = observed === undefined ? document : ObservedBody.parse(observed.entry.body).document;
    return now === document ? [] : [`${packagePurl} ${now}`];
  });
  return moved.length === 0 ? undefined : sha256(moved.sort().join('\n'));
}

/** Another state of upstream is another job: one that came to nothing before must not stand for it. */
function demandJob(specification: string, watched: Sha256, standing: 'first' | Sha256): Job {
  const id = `demand ${specification} ${watched.slice(0, 16)} ${standing.slice(0, 16)}`;
  return { id, stage: 'demand', label: specification, payload: { type: 'demand', specification } };
}

async function artifactJobs(ports: SweepPorts, artifact: Artifact): Promise<readonly Job[]> {
  const stored = ports.catalog.current('stored', artifact.purl);
  const ecosystem = ports.ecosystemOf(typeOf(artifact.purl));
  if (stored === undefined) {
    const job = syncJob(ports.catalog, artifact);
    const eligible = ecosystem === undefined ? undefined : rebuildEligibility(ecosystem, artifact);
    // What nobody can rebuild, or not until a repository is held, holds up nothing but itself.
    const isLater = eligible !== undefined && (!eligible.ok || eligible.withoutCommit !== undefined);
    return [isLater ? { ...job, urgency: 'whenever' } : job];
  }
  // What we hold, which may be other bytes than upstream lists under that name by now.
  return await rebuildJobs(ports, ecosystem, stored);
}

async function rebuildJobs(ports: SweepPorts, ecosystem: Pick<Ecosystem, 'rebuilding'> | undefined, stored: CatalogFact): Promise<readonly Job[]> {
  const { catalog, publicBlobs: blobs } = ports;
  const held = storedArtifact(stored);
  const standing = ecosystem === undefined ? undefined : sourceStanding(catalog, ecosystem, stored, ports.written);
  const verdict = catalog.current('verdict', held.purl);
  const attestation = verdict === undefined || isAttested(ports, held, verdict.key) ? [] : [artifactJob('attest', held, `${verdict.key} ${ports.policy}`)];
  if (standing === undefined) return attestation;
  switch (standing.type) {
    case 'ineligible':
      return verdict === undefined ? [{ ...artifactJob('judge', held, 'verdict'), urgency: 'whenever' }] : attestation;
    case 'to-locate':
      // Each state of a repository is another job; what was judged before stands meanwhile.
      return [...attestation, locateJob(held, standing, verdict === undefined ? undefined : 'whenever')];
    case 'waiting':
      // Which may be wanted by nobody itself.
      return [...attestation, ...(await rebuildJobs(ports, ecosystem, standing.on))];
    case 'located': {
      const { fact, source } = standing;
      if (verdict !== undefined && restsOn(verdict, fact)) return attestation;
      if (source === undefined) return [artifactJob('judge', held, `verdict ${fact.key}`)];
      const from = source.kind === 'archive' ? toPurl(source.purl) : undefined;
      if (from !== undefined && source.kind === 'archive' && catalog.current('stored', from) === undefined)
        return [syncJob(catalog, { purl: from, digests: { sha256: source.sha256 } })];
      const steps = await readBuildHistory({ catalog, blobs }, held);
      return await nextBuildJob({ catalog, blobs, syncJob: (missing) => syncJob(catalog, missing) }, held, { steps, source });
    }
  }
}

function locateJob(held: PinnedArtifact, { state }: { readonly state?: Sha256 }, urgency: Job['urgency']): Job {
  const job = artifactJob('plan', held, 'locate');
  const id = state === undefined ? job.id : `${job.id} ${state.slice(0, 16)}`;
  return urgency === undefined ? { ...job, id } : { ...job, id, urgency };
}

function isAttested({ catalog, policy }: SweepPorts, artifact: PinnedArtifact, verdict: Sha256): boolean {
  return catalog.ofDigest('attested', artifact.sha256).some(({ entry }) => isSummaryOf(entry, verdict, policy));
}

/** A package's index is observed before its artifacts are fetched. */
function syncJob(catalog: Catalog, artifact: Pick<Artifact, 'purl' | 'digests'>): Job {
  const packagePurl = packageOf(artifact.purl);
  if (catalog.current('observed', packagePurl) === undefined) {
    return { id: `observe ${packagePurl}`, stage: 'sync', label: packagePurl, payload: { type: 'observe', package: packagePurl } };
  }
  return {
    id: `store ${artifact.purl}`,
    stage: 'sync',
    label: purlParts(artifact.purl).fileName ?? artifact.purl,
    payload: { type: 'store', purl: artifact.purl, digests: { ...artifact.digests } },
  };
}

function artifactJob(stage: 'plan' | 'judge' | 'attest', artifact: Artifact, step: string): Job {
  return {
    id: `${stage} ${artifact.purl} ${step}`,
    stage,
    label: artifact.fileName,
    payload: { type: stage === 'attest' ? 'attest' : (step.split(' ', 1)[0] ?? step), purl: artifact.purl },
  };
}
