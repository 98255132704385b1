/** The disk's own faults, whoever met them: no retry mends them, and the user can. */
export interface DiskFault {
  readonly type: 'disk-full' | 'read-only';
  /** One sentence that says what to do. */
  readonly message: string;
}

const FULL = 'the disk is full; nothing stored is harmed: free some space (or inodes, or quota) and run again';
const READ_ONLY = 'it cannot be written: mount it writable, or give this user the right to write there';
const MAX_CAUSES = 8;

/** Whether an error, or what it was caused by, is a fault of the disk. */
export function diskFaultOf(error: unknown): DiskFault | undefined {
  let cause: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    const type = typeOf(cause);
    // Our own errors say by themselves what to do.
    if (type !== undefined) return { type, message: isOurs(cause) ? cause.message : `${messageOf(error, cause)}: ${type === 'disk-full' ? FULL : READ_ONLY}` };
    cause = cause.cause;
  }
  return undefined;
}

/** Node names no path when the disk turns out to be full in the middle of a write: then the folder that was worked in is named. */
export function namingFolder(error: unknown, folder: string): unknown {
  const isNameless = error instanceof Error && typeOf(error) !== undefined && !isOurs(error) && !('path' in error) && !('errcode' in error);
  return isNameless ? new Error(`write below ${folder}`, { cause: error }) : error;
}

function isOurs(error: Error): boolean {
  return 'code' in error && (error.code === 'disk-full' || error.code === 'read-only');
}

function messageOf(outer: unknown, cause: Error): string {
  return outer instanceof Error && outer !== cause ? outer.message : cause.message;
}

// https://sqlite.org/rescode.html
const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;

function typeOf(error: Error): DiskFault['type'] | undefined {
  if ('errcode' in error && typeof error.errcode === 'number') {
    const primary = error.errcode & 0xff;
    return primary === SQLITE_FULL ? 'disk-full' : primary === SQLITE_READONLY ? 'read-only' : undefined;
  }
  switch ('code' in error ? error.code : undefined) {
    case 'disk-full':
    case 'ENOSPC':
    case 'EDQUOT':
      return 'disk-full';
    case 'read-only':
    case 'EROFS':
      return 'read-only';
    default:
      return undefined;
  }
}
