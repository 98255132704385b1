import type { SandboxLimits, SandboxPhase } from '@granary/contract/ports';
import type { Privilege } from './privilege.ts';
import type { OciSeccomp } from './seccomp.ts';

/** The user that builds, as it sees itself. */
const BUILD_UID = 1000;
/** First of the host's ids that stand for the container's when we are root: they own nothing on the host. */
const SUBORDINATE_ID = 200_000;

const NO_CAPABILITIES = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };

/** The same for every build, so that nothing of the machine shows; a phase's own environment wins. */
const FIXED_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

/** Number of the building user in the wrapper's eyes. */
export function ownerId(privilege: Privilege): number {
  return privilege === 'root' ? SUBORDINATE_ID + BUILD_UID : 0;
}

/** The `config.json` of one phase (OCI runtime specification 1.0). Paths are those of wrapper.sh. */
export function ociConfig(phase: SandboxPhase, limits: SandboxLimits, host: { readonly privilege: Privilege; readonly seccomp: OciSeccomp }): object {
  const ids = host.privilege === 'root' ? { containerID: 0, hostID: SUBORDINATE_ID, size: 65_536 } : { containerID: BUILD_UID, hostID: 0, size: 1 };
  const namespaces = ['pid', 'ipc', 'uts', 'mount', 'cgroup', 'user', ...(phase.network === 'none' ? ['network'] : [])];
  return {
    ociVersion: '1.0.2',
    hostname: 'granary',
    root: { path: '/mnt/rootfs', readonly: true },
    process: {
      terminal: false,
      user: { uid: BUILD_UID, gid: BUILD_UID, umask: 0o022 },
      args: phase.argv,
      env: Object.entries({ ...FIXED_ENVIRONMENT, ...phase.env }).map(([name, value]) => `${name}=${value}`),
      cwd: '/work',
      noNewPrivileges: true,
      capabilities: NO_CAPABILITIES,
      rlimits: rlimits(limits, host.privilege),
    },
    mounts: mounts(limits),
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      uidMappings: [ids],
      gidMappings: [ids],
      seccomp: host.seccomp,
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/proc/timer_list',
        '/proc/timer_stats',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function mounts({ diskBytes }: SandboxLimits): readonly object[] {
  const tmpfs = (destination: string, ...options: string[]) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', ...options] });
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    tmpfs('/dev', 'strictatime', 'mode=755', 'size=64k'),
    tmpfs('/dev/shm', 'nodev', 'mode=1777', 'size=64m'),
    tmpfs('/tmp', 'nodev', 'mode=1777', `size=${diskBytes}`),
    { destination: '/work', type: 'bind', source: '/mnt/work', options: ['bind', 'rw', 'nosuid', 'nodev'] },
  ];
}

function rlimits({ memoryBytes, pids, diskBytes }: SandboxLimits, privilege: Privilege): readonly object[] {
  const limit = (type: string, soft: number, hard = soft) => ({ type, soft, hard });
  const always = [limit('RLIMIT_CORE', 0), limit('RLIMIT_NOFILE', 1024, 4096)];
  // Without root there are no cgroups: a poor stand-in, per process instead of per run, which checkSandboxHost tells of.
  const instead = [limit('RLIMIT_DATA', memoryBytes), limit('RLIMIT_NPROC', pids), limit('RLIMIT_FSIZE', diskBytes)];
  return privilege === 'root' ? always : [...always, ...instead];
}
