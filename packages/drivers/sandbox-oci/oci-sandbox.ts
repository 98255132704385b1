import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type RootFilesystems, type Sandbox, SandboxError, type SandboxResult, type SandboxRun } from '@granary/contract/ports';
import { type CgroupHost, createRunCgroups, findCgroups, sweepCgroups } from './cgroups.ts';
import { missingPackages, RUN_TOOLS } from './host-tools.ts';
import { ownPrivilege, type Privilege } from './privilege.ts';
import { openRootFilesystems, type RootFilesystemsOptions } from './rootfs/root-filesystems.ts';
import { unpackedRootfs } from './rootfs/unpacked-rootfs.ts';

import { checkRequest } from './run-request.ts';
import { runInWrapper } from './sandbox-run.ts';
import { type OciSeccomp, readSeccompProfile } from './seccomp.ts';

export type OciSandboxOptions = RootFilesystemsOptions;

/** A sandbox whose runs end with it, and the maker of what they run in. */
export type OciSandbox = Sandbox & RootFilesystems & AsyncDisposable;

interface Host {
  readonly privilege: Privilege;
  readonly seccomp: OciSeccomp;
  readonly cgroups: CgroupHost | undefined;
  /** Of the names of our cgroups: one per cache folder, so that two Granaries on a machine don't sweep each other's. */
  readonly prefix: string;
  readonly rootfsCacheDir: string;
}

/** Opens the sandbox and sweeps what a killed process left. Throws SandboxError `runtime-missing` when a tool is missing. */
export async function openOciSandbox(options: OciSandboxOptions): Promise<OciSandbox> {
  const host = await openHost(resolve(options.rootfsCacheDir));
  const rootFilesystems = await openRootFilesystems(options);
  const closing = new AbortController();
  const running = new Map<string, Promise<unknown>>();
  return {
    prepare: (recipe, signal) => rootFilesystems.prepare(recipe, signal),
    async run(run) {
      checkRequest(run);
      if (closing.signal.aborted) throw new SandboxError('bad-request', `run ${run.id}: the sandbox is closed`);
      if (running.has(run.id)) throw new SandboxError('bad-request', `run ${run.id}: that id is running`);
      const signal = run.signal === undefined ? closing.signal : AbortSignal.any([run.signal, closing.signal]);
      const result = runOnHost(run, host, signal).finally(() => running.delete(run.id));
      running.set(run.id, result);
      return result;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.allSettled(running.values());
    },
  };
}

async function openHost(rootfsCacheDir: string): Promise<Host> {
  const missing = await missingPackages(RUN_TOOLS);
  if (missing.length > 0) throw new SandboxError('runtime-missing', `open the sandbox: install ${missing.join(' ')} (apt-get install ${missing.join(' ')})`);
  await mkdir(rootfsCacheDir, { recursive: true });
  const privilege = ownPrivilege();
  const prefix = `granary-${createHash('sha256').update(rootfsCacheDir).digest('hex').slice(0, 12)}-`;
  const cgroups = privilege === 'root' ? await ownCgroups() : undefined;
  if (privilege === 'root' && cgroups === undefined)
    throw new SandboxError('runtime-missing', 'open the sandbox: no memory, pids and cpu cgroup controllers to be had on this host');
  if (cgroups !== undefined) await sweepCgroups(cgroups, prefix);
  return { privilege, cgroups, prefix, rootfsCacheDir, seccomp: await readSeccompProfile(process.arch) };
}

async function ownCgroups(): Promise<CgroupHost | undefined> {
  return findCgroups(await readFile('/proc/self/mountinfo', 'utf8'), await readFile('/proc/self/cgroup', 'utf8'));
}

async function runOnHost(run: SandboxRun, host: Host, signal: AbortSignal): Promise<SandboxResult> {
  const rootfs = await unpackedRootfs(host.rootfsCacheDir, run.rootfs);
  if (rootfs === undefined) throw new SandboxError('rootfs-missing', `run ${run.id}: root filesystem ${run.rootfs} is not prepared on this machine`);
  const cgroups = host.cgroups && (await createRunCgroups(host.cgroups, `${host.prefix}${run.id}`, run.limits));
  try {
    return await runInWrapper(run, { ...host, rootfs, cgroups, signal });
  } finally {
    await cgroups?.remove();
  }
}
