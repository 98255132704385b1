import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findCgroups } from './cgroups.ts';
import { missingPackages, RUN_TOOLS, rootfsTools, TOOL_ENVIRONMENT } from './host-tools.ts';
import { ownPrivilege, type Privilege } from './privilege.ts';

export interface HostFinding {
  /** `stops`: nothing can be run. `weakens`: runs, with less protection than it could have. */
  readonly effect: 'stops' | 'weakens';
  readonly what: string;
  readonly howToMend: string;
}
export interface HostCheck {
  /** Whether the sandbox works here, if perhaps weakened. */
  readonly ok: boolean;
  readonly findings: readonly HostFinding[];
}

/** What this machine lacks for running foreign code. Tries the namespaces for real; changes nothing. */
export async function checkSandboxHost(): Promise<HostCheck> {
  const privilege = ownPrivilege();
  const findings = [...(await tools(privilege)), ...(await namespaces(privilege)), ...(await limits(privilege))];
  return { ok: findings.every(({ effect }) => effect !== 'stops'), findings };
}

async function tools(privilege: Privilege): Promise<readonly HostFinding[]> {
  const missing = await missingPackages({ ...RUN_TOOLS, ...rootfsTools(privilege) });
  return missing.length === 0 ? [] : [{ effect: 'stops', what: `not installed: ${missing.join(', ')}`, howToMend: `apt-get install ${missing.join(' ')}` }];
}

async function namespaces(privilege: Privilege): Promise<readonly HostFinding[]> {
  const user = privilege === 'root' ? [] : ['--user', '--map-root-user'];
  const mounts = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'];
  try {
    await promisify(execFile)('unshare', [...user, ...mounts], { env: TOOL_ENVIRONMENT, timeout: 10_000 });
    return [];
  } catch (cause) {
    const what = `this process may not make namespaces: ${cause instanceof Error ? cause.message.trim().split('\n').at(-1) : String(cause)}`;
    const howToMend =
      privilege === 'root'
        ? 'in a container, allow it with --privileged, or with --cap-add SYS_ADMIN,NET_ADMIN and --security-opt seccomp=unconfined,apparmor=unconfined'
        : 'allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (and kernel.apparmor_restrict_unprivileged_userns=0 where it exists), or run as root';
    return [{ effect: 'stops', what, howToMend }];
  }
}

async function limits(privilege: Privilege): Promise<readonly HostFinding[]> {
  if (privilege === 'user') {
    const what =
      'without root there are no cgroups: limits on memory hold per process, not per run; there is none on processor time, and a killed process is not told from a crash';
    return [{ effect: 'weakens', what, howToMend: 'run the worker as root; foreign code is an unprivileged user in a user namespace either way' }];
  }
  const cgroups = await findCgroups(await readFile('/proc/self/mountinfo', 'utf8'), await readFile('/proc/self/cgroup', 'utf8'));
  if (cgroups !== undefined) return [];
  const what = 'the memory, pids and cpu controllers of cgroups are not all to be had here';
  return [
    {
      effect: 'stops',
      what,
      howToMend:
        'mount /sys/fs/cgroup, and start the service with systemd and Delegate=yes, or the container with --cgroupns=host and a writable /sys/fs/cgroup',
    },
  ];
}
