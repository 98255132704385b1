import {
  type Closure,
  decodeClosure,
  type Ecosystem,
  EcosystemError,
  encodeTrialReport,
  type Installing,
  type InstallPlan,
  type InstallTrial,
  installTrial,
  type TrialReport,
  type TriedPackage,
} from '@granary/contract/ecosystem';
import {
  type BlobStore,
  type Catalog,
  type CatalogFact,
  type Clock,
  type FactSink,
  JobError,
  type Sandbox,
  type SandboxLimits,
  type SandboxPhase,
  type SandboxResult,
  StoreError,
} from '@granary/contract/ports';
import { factBody, type PinnedArtifact, type Purl, releaseOf, type Sha256, type TriedBody, WantedBody, WatchedBody } from '@granary/core/model';
import type { MirrorSocket } from './rebuild-ports.ts';

type InstallingEcosystem = Pick<Ecosystem, 'id'> & { readonly installing: Installing };
export interface TryInstallPorts {
  readonly ecosystem: InstallingEcosystem;
  /** Digest of the root filesystem that installs run in. Made when it is asked for: most products run nothing. */
  readonly rootfs: () => Promise<Sha256>;
  readonly sandbox: Sandbox;
  readonly openMirror: (moment: { readonly asOf: string }) => Promise<MirrorSocket>;
  readonly publicBlobs: BlobStore;
  /** Where closures and locks lie, and reports go: they tell of products. */
  readonly privateBlobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
  readonly clock: Clock;
}

const MAX_CLOSURE_BYTES = 64 * 2 ** 20;
const MAX_LOCK_BYTES = 64 * 2 ** 20;
const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;
/** Of all that is installed, twice: packed and unpacked. */
const INSTALL_LIMITS: SandboxLimits = {
  memoryBytes: 4 * 2 ** 30,
  cpus: 1,
  pids: 512,
  diskBytes: 3 * 2 ** 30,
  outputBytes: 1,
  outputFiles: 1,
  logBytes: 2 ** 20,
};
const INSTALL_TIMEOUT_MS = 12 * 60_000;
/** Together with the install less than a job may take. */
const SCRIPTS_TIMEOUT_MS = 40 * 60_000;
const SCRIPT_TIMEOUT_MS = 3 * 60_000;
/** So that each has half a minute at least. */
const MAX_PACKAGES = 80;

/**
 * Installs a product with its stock client in the sandbox, where nothing answers but our mirror, runs what its packages run at install,
 * and records whom they turned to. Does nothing when that is on record. Throws JobError: `later` where the install itself doesn't work here.
 */
export async function tryInstall(ports: TryInstallPorts, specification: string, signal?: AbortSignal): Promise<void> {
  const { watched, trial } = await readTrial(ports, specification);
  if (ports.catalog.byKey(trial.key) !== undefined) return;
  const started = performance.now();
  const { report, log } = await reportOf(ports, { watched, trial }, signal);
  const bytes = encodeTrialReport(report);
  const blob = await ports.privateBlobs.put(bytes, { maxBytes: bytes.length });
  const text = new TextEncoder().encode(log);
  const kept = log === '' ? undefined : await ports.privateBlobs.put(text, { maxBytes: text.length });
  const run = { durationMs: Math.round(performance.now() - started), log: kept?.sha256 };
  const body: TriedBody = { ecosystem: ports.ecosystem.id, status: statusOf(report), report: blob.sha256, run };
  await ports.sink.submit([{ kind: 'tried', subject: specification, inputs: trial.inputs, body: factBody(body) }]);
}

/** Nobody else is needed where nothing failed and nobody was turned to. */
function statusOf(report: TrialReport): TriedBody['status'] {
  switch (report.type) {
    case 'nothing-runs':
      return 'self-sufficient';
    case 'not-tried':
      return 'not-tried';
    case 'tried': {
      const { contacts, packages, beyond } = report;
      const isQuiet = packages.every(({ end, contacts: own }) => own.length === 0 && end.type === 'exited' && end.code === 0);
      return isQuiet && contacts.length === 0 && beyond.length === 0 ? 'self-sufficient' : 'not-covered';
    }
  }
}

interface Subject {
  readonly watched: CatalogFact;
  readonly trial: InstallTrial;
}

async function readTrial({ catalog, privateBlobs, ecosystem }: TryInstallPorts, specification: string): Promise<Subject> {
  const watched = catalog.current('watched', specification);
  const wanted = catalog.current('wanted', specification);
  if (watched === undefined || wanted === undefined) throw new JobError('never', `try to install ${specification}: it isn't watched, or wasn't resolved`);
  const bytes = await privateBlobs.read(WantedBody.parse(wanted.entry.body).manifest, MAX_CLOSURE_BYTES);
  if (bytes === undefined) throw new JobError('later', `try to install ${specification}: its closure isn't in the store`);
  const closure: Closure = decodeClosure(bytes);
  const trial = installTrial(catalog, watched, closure, ecosystem);
  if (trial === undefined) throw new JobError('later', `try to install ${specification}: not everything of it is stored`);
  return { watched, trial };
}

async function reportOf(
  ports: TryInstallPorts,
  { watched, trial }: Subject,
  signal?: AbortSignal,
): Promise<{ readonly report: TrialReport; readonly log: string }> {
  const { ecosystem, privateBlobs } = ports;
  const specification = watched.entry.subject;
  const runsCode = await whatRuns(ports, trial.artifacts, signal);
  if (runsCode.size === 0) return { report: { type: 'nothing-runs' }, log: '' };
  const digest = WatchedBody.parse(watched.entry.body).content;
  const content = digest === undefined ? undefined : await privateBlobs.read(digest, MAX_LOCK_BYTES);
  if (digest !== undefined && content === undefined) throw new JobError('later', `try to install ${specification}: its bytes aren't in the store`);
  const planned = planOf(ecosystem, { specification, content, runsCode });
  if (planned.type === 'not-tried') return { report: { ...planned, runsCode: [...runsCode] }, log: '' };
  const { plan } = planned;
  if (plan.scripts.length === 0) return { report: { type: 'nothing-runs' }, log: '' };
  const rootfs = await ports.rootfs();
  const result = await runPlan(ports, { id: `i-${trial.key.slice(0, 32)}`, rootfs, plan }, signal);
  signal?.throwIfAborted();
  return { report: readResult(specification, { plan, rootfs, result }), log: result.log.text };
}

/** Releases that run code at install, by their own bytes; what is too large to be read may. */
async function whatRuns({ ecosystem, publicBlobs }: TryInstallPorts, artifacts: readonly PinnedArtifact[], signal?: AbortSignal): Promise<ReadonlySet<Purl>> {
  const running = new Set<Purl>();
  for (const artifact of artifacts) {
    signal?.throwIfAborted();
    const bytes = await readUpTo(publicBlobs, artifact);
    if (bytes === 'too-large' || (await ecosystem.installing.runsCode(artifact, bytes))) running.add(releaseOf(artifact.purl) ?? artifact.purl);
  }
  return running;
}

async function readUpTo(blobs: BlobStore, { purl, sha256 }: PinnedArtifact): Promise<Uint8Array | 'too-large'> {
  try {
    const bytes = await blobs.read(sha256, MAX_ARTIFACT_BYTES);
    if (bytes === undefined) throw new JobError('later', `read ${purl}: not in the store`);
    return bytes;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return 'too-large';
    throw error;
  }
}

function planOf({ installing }: InstallingEcosystem, request: Parameters<Installing['plan']>[0]): ReturnType<Installing['plan']> {
  try {
    return installing.plan(request);
  } catch (error) {
    if (error instanceof EcosystemError) throw new JobError('never', `try to install ${request.specification}: ${error.message}`, { cause: error });
    throw error;
  }
}

interface PlannedRun {
  readonly id: string;
  readonly rootfs: Sha256;
  readonly plan: InstallPlan;
}

async function runPlan(ports: TryInstallPorts, { id, rootfs, plan }: PlannedRun, signal?: AbortSignal): Promise<SandboxResult> {
  const scripts = plan.scripts.slice(0, MAX_PACKAGES);
  const timeoutMs = Math.min(SCRIPT_TIMEOUT_MS, Math.floor(SCRIPTS_TIMEOUT_MS / Math.max(1, scripts.length)));
  const phase = { network: 'mirror' } as const;
  const first: SandboxPhase = { ...phase, name: 'install', ...plan.install, timeoutMs: INSTALL_TIMEOUT_MS };
  const mirror = await ports.openMirror({ asOf: ports.clock.now() });
  try {
    return await ports.sandbox.run({
      id,
      rootfs,
      inputs: plan.files.map(({ path, text }) => ({ path, content: { bytes: new TextEncoder().encode(text) } })),
      phases: [first, ...scripts.map(({ command }, index): SandboxPhase => ({ ...phase, name: `script-${index + 1}`, ...command, timeoutMs, mayFail: true }))],
      mirrorSocket: mirror.path,
      recordsContacts: true,
      outputDir: 'output',
      limits: INSTALL_LIMITS,
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    await mirror.close();
  }
}

interface RanPlan {
  readonly plan: InstallPlan;
  readonly rootfs: Sha256;
  readonly result: SandboxResult;
}

function readResult(specification: string, { plan, rootfs, result }: RanPlan): TrialReport {
  const [install, ...phases] = result.phases;
  if (install === undefined || [install, ...phases].some(({ end }) => end.type === 'killed' && end.by === 'abort'))
    throw new JobError('at-once', `try to install ${specification}: the sandbox was stopped`);
  if (install.end.type !== 'exited' || install.end.code !== 0)
    throw new JobError('later', `try to install ${specification}: its client can't install it from this mirror: ${lastLines(result.log.text)}`);
  const packages = phases.flatMap(({ end, contacts }, index): readonly TriedPackage[] => {
    const release = plan.scripts[index]?.release;
    return release === undefined ? [] : [{ release, end, contacts: contacts?.seen ?? [], leftOut: contacts?.leftOut ?? 0 }];
  });
  const beyond = plan.scripts.slice(packages.length).map(({ release }) => release);
  return { type: 'tried', rootfs, contacts: install.contacts?.seen ?? [], packages, beyond };
}

function lastLines(log: string): string {
  return log.trim().split('\n').slice(-6).join(' | ').slice(-600);
}
