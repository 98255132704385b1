import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { scratchFolder } from './scratch-folder.ts';

/** Why no file system can be mounted here; undefined when one can. */
export function whyNoMount(): string | undefined {
  if (process.platform !== 'linux') return 'mounting a tmpfs takes Linux';
  if (process.getuid?.() !== 0) return 'mounting a tmpfs takes root';
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'probe', '/mnt'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this root may not mount';
  }
}

/** A small file system of its own, unmounted when the test is over. */
export async function mountedFolder(options: string): Promise<string> {
  const folder = await scratchFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'granary-test', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
  });
  return folder;
}

export function remount(folder: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, folder]);
}
