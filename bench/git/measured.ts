import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** What a command took, with everything that it started. */
export interface Measured {
  /** User and system time of all processes. */
  readonly processorSeconds: number;
  readonly seconds: number;
  /** Most that a process had resident at once, files that it mapped included; sampled. */
  readonly largest: PeakMemory;
  /** Of the process that was started itself. */
  readonly ownPeakBytes: number;
}
interface PeakMemory {
  readonly bytes: number;
  readonly program: string;
}

const SAMPLE_MS = 50;
/** The shell waits for the command, which waits for what it starts: their times add up in the shell's (times(2)). But bubblewrap ends before what runs in its namespace is waited for. */
const TIMED = 'TIMEFORMAT="processor %U %S"; time "$@"';

/** Runs a command to its end. Throws when it doesn't succeed. */
export async function measured(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn('bash', ['-c', TIMED, 'bash', ...argv], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said = (said + text).slice(-4000)));
  const peaks = new Map<number, PeakMemory>();
  const sandboxed = watchSandboxed(child.pid ?? process.pid);
  const timer = setInterval(() => sample(child, peaks), SAMPLE_MS);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  sandboxed.stop();
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${said}`);
  const [, user = '', system = ''] = /processor ([\d.]+) ([\d.]+)\s*$/.exec(said) ?? [];
  const all = [...peaks].filter(([pid]) => pid !== child.pid).map(([, peak]) => peak);
  const largest = all.toSorted((a, b) => b.bytes - a.bytes)[0] ?? { bytes: 0, program: 'nothing' };
  const seconds = (performance.now() - startedAt) / 1000;
  return { processorSeconds: Number(user) + Number(system) + sandboxed.seconds(), seconds, largest, ownPeakBytes: all[0]?.bytes ?? 0 };
}

/** User and system seconds of a process so far, and of those that it started and that have ended (proc(5), stat, in ticks of 10 ms). */
export function processorSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

/** Adds up, by samples, what processes in namespaces below this one use from now on: nobody else learns that. */
export function watchSandboxed(root: number): { seconds(): number; stop(): void } {
  const used = new Map<number, number>();
  const timer = setInterval(() => {
    const sandboxes = descendantsOf(root).filter((pid) => readProc(`/proc/${pid}/comm`).trim() === 'bwrap');
    // The outer one is waited for.
    for (const pid of sandboxes.flatMap((sandbox) => descendantsOf(sandbox).slice(1))) {
      const fields = readProc(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
      if (fields.length > 13) used.set(pid, (Number(fields[11]) + Number(fields[12])) / 100);
    }
  }, SAMPLE_MS);
  return { seconds: () => [...used.values()].reduce((sum, seconds) => sum + seconds, 0), stop: () => clearInterval(timer) };
}

/** The kernel keeps the peak of each process while it lives: samples miss only what comes right before an end. */
function sample({ pid }: ChildProcess, peaks: Map<number, PeakMemory>): void {
  for (const one of descendantsOf(pid ?? process.pid)) {
    const status = readProc(`/proc/${one}/status`);
    const bytes = 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    if (bytes === 0) continue;
    // What a fork has before it becomes another program counts too, under the name of the last.
    const before = peaks.get(one)?.bytes ?? 0;
    peaks.set(one, { bytes: Math.max(bytes, before), program: /^Name:\t(.*)$/m.exec(status)?.[1] ?? '' });
  }
}

/** The process itself, and all below it, in the order in which they were started. */
export function descendantsOf(root: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    const parent = /^\d+$/.test(name) ? readProc(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1] : undefined;
    return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }];
  });
  const children = Map.groupBy(parents, ({ parent }) => parent);
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []).map((child) => child.pid));
  return found;
}

/** Processes end while they are looked at. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
