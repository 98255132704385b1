import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** Small disks, and other faces of the same folder, until they are disposed of. */
export interface Mounts extends Disposable {
  /** An empty disk of its own. */
  disk(folder: string, size: string): void;
  resize(folder: string, size: string): void;
  /** Leaves so much room on a disk, and no more. */
  leave(folder: string, roomBytes: number): Promise<void>;
  /** What lies in one folder, in another too. */
  bind(from: string, to: string): void;
  readOnly(from: string, to: string): void;
}

/** Why nothing can be mounted here; undefined when it can. */
export function whyNoMounts(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting takes root';
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'probe', '/mnt']).status === 0 ? undefined : 'this root may not mount';
}

export function openMounts(): Mounts {
  const mounted: string[] = [];
  const mount = (folder: string, ...args: readonly string[]) => {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', [...args, folder]);
    mounted.push(folder);
  };
  const resize = (folder: string, size: string) => void execFileSync('mount', ['-o', `remount,size=${size}`, folder]);
  return {
    resize,
    disk: (folder, size) => mount(folder, '-t', 'tmpfs', '-o', `size=${size},mode=755`, 'granary-test'),
    async leave(folder, roomBytes) {
      const { blocks, bfree, bsize } = await statfs(folder);
      resize(folder, `${(blocks - bfree) * bsize + roomBytes}`);
    },
    bind: (from, to) => mount(to, '--bind', from),
    readOnly(from, to) {
      mount(to, '--bind', from);
      execFileSync('mount', ['-o', 'remount,bind,ro', to]);
    },
    [Symbol.dispose]() {
      // Whatever is still open there: the folder is free again for whoever deletes it.
      for (const folder of mounted.splice(0).reverse()) spawnSync('umount', ['--lazy', folder]);
    },
  };
}
