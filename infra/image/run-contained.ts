import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenedImage } from './open-image.ts';

export interface Contained {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** crun refuses machines with both versions of cgroups, unless the second is out of sight. */
const ONE_HIERARCHY = '[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs -o ro tmpfs /sys/fs/cgroup/unified; exec "$@"';

/** Runs an image by crun as `../compose` does: read-only, its own user, no capabilities, no network; `/tmp` alone can be written. */
export function runContained({ config, rootfs }: OpenedImage, folder: string, args: readonly string[]): Contained {
  const [uid, gid] = config.user.split(':').map(Number);
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle, { recursive: true });
  const mount = (destination: string, type: string, options: readonly string[]) => ({ destination, type, source: type, options });
  const runtime = {
    ociVersion: '1.0.2',
    root: { path: rootfs, readonly: true },
    process: {
      user: { uid, gid },
      args: [...config.entrypoint, ...args],
      env: config.environment,
      cwd: '/var/lib/granary',
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
    },
    mounts: [
      mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
      mount('/dev', 'tmpfs', ['nosuid', 'noexec', 'mode=755', 'size=64k']),
      mount('/tmp', 'tmpfs', ['nosuid', 'nodev', 'mode=1777', 'size=64m']),
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })) },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtime));
  const id = `granary-image-${process.pid}`;
  const crun = ['crun', '--root', join(folder, 'state'), '--cgroup-manager=disabled', 'run', '--bundle', bundle, id];
  // Pipes: a runtime gives its stdio to the container's user, and must not be handed what is the machine's.
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', ONE_HIERARCHY, 'sh', ...crun], {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  return { code: status, stdout, stderr };
}
