import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { memoryStore } from '@granary/contract/memory';
import type { SandboxLimits, SandboxPhase, SandboxResult, SandboxRun } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { missingPackages, RUN_TOOLS } from '../host-tools.ts';
import { openOciSandbox } from '../index.ts';
import { hostRootfs } from './host-rootfs.ts';

/** Why these tests cannot run here; undefined when they can. */
export async function whyNotHere(): Promise<string | undefined> {
  if (geteuid?.() !== 0) return 'needs root';
  const missing = await missingPackages({ ...RUN_TOOLS, python3: 'python3' });
  return missing.length > 0 ? `needs ${missing.join(' ')}` : undefined;
}

export const LIMITS: SandboxLimits = {
  memoryBytes: 256 * 2 ** 20,
  cpus: 1,
  pids: 64,
  diskBytes: 64 * 2 ** 20,
  outputBytes: 2 ** 20,
  outputFiles: 20,
  logBytes: 65_536,
};

export interface Attempt {
  readonly id?: string;
  readonly phases?: readonly [Partial<SandboxPhase>, ...Partial<SandboxPhase>[]];
  readonly limits?: Partial<SandboxLimits>;
  readonly inputs?: SandboxRun['inputs'];
  readonly mirrorSocket?: string;
  readonly recordsContacts?: true;
  readonly outputDir?: string;
  readonly rootfs?: Sha256;
  readonly signal?: AbortSignal;
}
export interface TestSandbox extends AsyncDisposable {
  readonly scratch: string;
  readonly cacheDir: string;
  /** What a shell script, or each of the phases given, comes to. */
  attempt(script: string, options?: Attempt): Promise<SandboxResult>;
  /** As {@link attempt}, in Python. */
  python(program: string, options?: Attempt): Promise<SandboxResult>;
}

export async function openForTest(): Promise<TestSandbox> {
  const scratch = mkdtempSync(join(tmpdir(), 'granary-sandbox-'));
  const cacheDir = join(scratch, 'rootfs');
  const rootfs = await hostRootfs(cacheDir, scratch);
  const sandbox = await openOciSandbox({ blobs: memoryStore().blobs, rootfsCacheDir: cacheDir, scratchDir: join(scratch, 'scratch') });
  let runs = 0;
  const start = (argv: SandboxPhase['argv'], { phases = [{}], limits, ...rest }: Attempt = {}): Promise<SandboxResult> => {
    runs += 1;
    const complete = (phase: Partial<SandboxPhase>, index: number): SandboxPhase => ({
      name: `phase-${index}`,
      argv,
      env: {},
      network: 'none',
      timeoutMs: 20_000,
      ...phase,
    });
    const [first, ...later] = phases;
    return sandbox.run({
      id: `run-${runs}`,
      rootfs,
      inputs: [],
      outputDir: 'out',
      limits: { ...LIMITS, ...limits },
      phases: [complete(first, 0), ...later.map((phase, index) => complete(phase, index + 1))],
      ...rest,
    });
  };
  return {
    scratch,
    cacheDir,
    attempt: (script, options) => start(['sh', '-c', script], options),
    python: (program, options) => start(['python3', '-I', '-c', program], options),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      rmSync(scratch, { recursive: true });
    },
  };
}
