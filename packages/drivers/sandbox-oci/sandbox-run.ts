import { SandboxError, type SandboxPhase, type SandboxResult, type SandboxRun } from '@granary/contract/ports';
import type { RunCgroups } from './cgroups.ts';
import { type Collected, collectOutputs } from './collect-outputs.ts';
import { packInputs } from './input-tar.ts';
import { ociConfig, ownerId } from './oci-config.ts';
import { phaseEnd } from './phase-end.ts';
import type { Privilege } from './privilege.ts';
import { readLog } from './run-log.ts';
import type { OciSeccomp } from './seccomp.ts';
import { startWrapper, type Wrapper } from './wrapper.ts';

export interface RunEnvironment {
  readonly privilege: Privilege;
  readonly seccomp: OciSeccomp;
  /** The unpacked root filesystem. */
  readonly rootfs: string;
  /** Undefined without root. */
  readonly cgroups: RunCgroups | undefined;
  /** Aborts the run: the caller's, and that of the sandbox when it is closed. */
  readonly signal: AbortSignal;
}

type PhaseResult = SandboxResult['phases'][number];
const NOTHING: Collected = { outputs: [], refused: [], isCutOff: false };
/** Between two attempts to kill a container: the first may come before it is there. */
const KILL_EVERY_MS = 100;
/** For each step of our own: placing the inputs, killing, collecting. A wrapper that takes longer is broken. */
const OWN_STEP_MS = 120_000;

/** One run, from the start of its wrapper until nothing of it is left but the result. */
export async function runInWrapper(run: SandboxRun, environment: RunEnvironment): Promise<SandboxResult> {
  const { privilege, rootfs, cgroups, signal } = environment;
  const owner = ownerId(privilege);
  const wrapper = startWrapper({
    privilege,
    rootfs,
    socket: run.mirrorSocket,
    workBytes: run.limits.diskBytes,
    ownerId: owner,
    cgroups: cgroups?.folders ?? [],
    recordsContacts: run.recordsContacts === true,
  });
  const log = readLog(wrapper.log, run.limits.logBytes);
  const destroy = (): void => void wrapper.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  if (signal.aborted) destroy();
  const phases: PhaseResult[] = [];
  let collected = NOTHING;
  try {
    await place(run, wrapper, environment);
    for (const [index, phase] of run.phases.entries()) {
      run.onPhase?.({ name: phase.name, state: 'started' });
      const result = await runPhase(wrapper, index, { phase, environment });
      const isRecorded = run.recordsContacts === true && !signal.aborted;
      phases.push(isRecorded ? { ...result, contacts: await wrapper.contacts(index) } : result);
      run.onPhase?.({ name: phase.name, state: 'ended' });
      if (!goesOn(phase, result)) break;
    }
    if (!signal.aborted) collected = await collect(wrapper, run);
  } catch (cause) {
    if (!signal.aborted) throw cause;
  } finally {
    signal.removeEventListener('abort', destroy);
    await wrapper.destroy();
  }
  const { outputs, refused } = signal.aborted ? NOTHING : collected;
  return { phases: signal.aborted ? withAborted(run, phases) : phases, outputs, refused, log: await log };
}

async function place({ phases, limits, inputs }: SandboxRun, wrapper: Wrapper, environment: RunEnvironment): Promise<void> {
  const configs = phases.map((phase) => ociConfig(phase, limits, environment));
  const packed = packInputs(wrapper.inputs, { configs, inputs, ownerId: ownerId(environment.privilege) });
  const failed = packed.then(
    () => new Promise<never>(() => undefined),
    (cause: unknown) => {
      throw new SandboxError('infrastructure', 'place the inputs: one of them cannot be read', { cause });
    },
  );
  await withinOwnTime(wrapper, Promise.race([wrapper.ready(), failed]));
}

async function runPhase(
  wrapper: Wrapper,
  index: number,
  { phase, environment }: { readonly phase: SandboxPhase; readonly environment: RunEnvironment },
): Promise<PhaseResult> {
  const { cgroups, signal } = environment;
  const killsBefore = (await cgroups?.outOfMemoryKills()) ?? 0;
  const startedAt = performance.now();
  const result = (end: PhaseResult['end']): PhaseResult => ({ name: phase.name, end, durationMs: Math.round(performance.now() - startedAt) });
  const killer = killAfter(wrapper, index, phase.timeoutMs);
  try {
    const { status, complaint } = await wrapper.run(index);
    if (complaint !== '' && killer.fired() === undefined)
      throw new SandboxError('infrastructure', `phase ${phase.name}: the container runtime says: ${complaint}`);
    const outOfMemoryKills = ((await cgroups?.outOfMemoryKills()) ?? 0) - killsBefore;
    return result(phaseEnd({ status, stopped: killer.fired(), outOfMemoryKills }));
  } catch (cause) {
    if (!signal.aborted) throw cause;
    return result({ type: 'killed', by: 'abort' });
  } finally {
    killer.disarm();
  }
}

/** Kills the container of a phase when its time is over, and the whole wrapper when that doesn't help. */
function killAfter(wrapper: Wrapper, phase: number, timeoutMs: number): { readonly fired: () => 'timeout' | undefined; readonly disarm: () => void } {
  let killing: NodeJS.Timeout | undefined;
  const timers = [
    setTimeout(() => {
      killing = setInterval(() => wrapper.kill(phase), KILL_EVERY_MS);
    }, timeoutMs),
    setTimeout(() => void wrapper.destroy(), timeoutMs + OWN_STEP_MS),
  ];
  const disarm = (): void => {
    for (const timer of timers) clearTimeout(timer);
    clearInterval(killing);
  };
  return { fired: () => (killing === undefined ? undefined : 'timeout'), disarm };
}

async function collect(wrapper: Wrapper, { outputDir, limits }: SandboxRun): Promise<Collected> {
  const told = wrapper.collect(outputDir);
  // A reader at its limit stops while tar still writes; then how tar ended is of no interest.
  told.catch(() => undefined);
  const collected = await withinOwnTime(wrapper, collectOutputs(wrapper.outputs, limits)).catch((cause: unknown) => {
    throw new SandboxError('infrastructure', `collect ${outputDir}: the tar of the outputs cannot be read`, { cause });
  });
  if (collected.isCutOff) return collected;
  const end = await told;
  switch (end.type) {
    case 'missing':
      return collected;
    case 'link':
      return withRefused(collected, outputDir, 'symbolic link');
    case 'done':
      return end.socketsLeftOut === 0 ? collected : withRefused(collected, outputDir, `${end.socketsLeftOut} sockets`);
  }
}

function withRefused(collected: Collected, path: string, why: string): Collected {
  return { ...collected, refused: [...collected.refused, { path, why }] };
}

async function withinOwnTime<T>(wrapper: Wrapper, step: Promise<T>): Promise<T> {
  const timer = setTimeout(() => void wrapper.destroy(), OWN_STEP_MS);
  try {
    return await step;
  } finally {
    clearTimeout(timer);
  }
}

/** Aborted before its first phase or between two, a run tells of it by the phase that would have been next. */
function withAborted({ phases: asked }: SandboxRun, phases: readonly PhaseResult[]): readonly PhaseResult[] {
  const next = asked[phases.length];
  const isBetween = next !== undefined && phases.every((phase, index) => goesOn(asked[index], phase));
  return isBetween ? [...phases, { name: next.name, end: { type: 'killed', by: 'abort' }, durationMs: 0 }] : phases;
}

function goesOn(phase: SandboxPhase | undefined, { end }: PhaseResult): boolean {
  switch (end.type) {
    case 'exited':
      return end.code === 0 || phase?.mayFail === true;
    case 'killed':
      return end.by !== 'abort' && phase?.mayFail === true;
  }
}
