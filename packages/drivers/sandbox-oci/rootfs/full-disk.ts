import { SandboxError } from '@granary/contract/ports';

/** Resolves as the step does. When the disk of the folder is full, whether we or a tool of ours found it so, throws SandboxError `disk-full`. */
export async function withRoom<T>(folder: string, step: Promise<T>): Promise<T> {
  return await step.catch((cause: unknown) => {
    if (!isFull(cause)) throw cause;
    const message = `make a root filesystem: the disk of ${folder} is full; nothing stored is harmed: free a gigabyte (or inodes, or quota) and run again`;
    throw new SandboxError('disk-full', message, { cause });
  });
}

/** Tools speak as strerror(3) does, in one language; tar counts where a write ended early. */
function isFull(cause: unknown): boolean {
  if (cause instanceof SandboxError) return /No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes/.test(cause.message);
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
}
