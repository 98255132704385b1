import { RepositoryError } from '@granary/contract/ports';
import type { GitEnd } from './git-process.ts';

/** Signals, as they stand in an exit status (signal(7)). */
const OUT_OF_CPU = 128 + 24;
const FILE_TOO_LARGE = 128 + 25;
const KILLED = 128 + 9;
const MAX_SAID_CHARACTERS = 2000;

/** What a git that didn't end well says of what was asked; `what` begins with a verb. */
export function gitFault(what: string, { status, stopped, stderr }: GitEnd): RepositoryError {
  const said = stderr === '' ? `git ended with status ${status}` : stderr.split('\n').slice(-6).join('; ').slice(-MAX_SAID_CHARACTERS);
  if (stopped === 'timeout' || status === OUT_OF_CPU) return new RepositoryError('timeout', `${what}: git was ended because it took too long`);
  if (stopped === 'abort') return new RepositoryError('unavailable', `${what}: stopped, because it isn't wanted any more`);
  if (status === FILE_TOO_LARGE) return new RepositoryError('too-large', `${what}: a file became larger than is allowed`);
  if (/No space left on device|Disk quota exceeded/.test(stderr))
    return new RepositoryError('unavailable', `${what}: the disk is full; nothing stored is harmed: free some space and run again`);
  if (/[Oo]ut of memory|Cannot allocate memory/.test(stderr)) return new RepositoryError('too-large', `${what}: needs more memory than is allowed: ${said}`);
  if (status < 0 || status === KILLED || /^(bwrap|prlimit): /m.test(stderr)) return new RepositoryError('unavailable', `${what}: ${said}`);
  return new RepositoryError('malformed', `${what}: ${said}`);
}

/** git says of a pack or an index that lies here that it isn't what it was: never of what a client sent, or a pack that is only coming in. */
const DAMAGE =
  /\/repo\/objects\/.* is corrupt|bad packed object|inflate: data stream error|from \/repo\/objects\/pack|packfile .* (?:does not match index|cannot be accessed|is not a GIT packfile)/;

/** Does this fault say that the folder has rotted? */
export function tellsDamage(fault: unknown): boolean {
  return fault instanceof RepositoryError && fault.code === 'malformed' && !fault.message.startsWith('take pack') && DAMAGE.test(fault.message);
}

/** What the disk refused becomes a RepositoryError that says what to do; anything else stays what it is. */
export async function onDisk<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new RepositoryError('unavailable', `${what}: the disk is full; nothing stored is harmed: free some space and run again`, { cause });
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')
      throw new RepositoryError('unavailable', `${what}: the folder cannot be written: mount it writable, or give this user the right to write there`, {
        cause,
      });
    throw cause;
  }
}
