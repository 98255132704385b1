import { dirname } from 'node:path';
import { errnoOf } from './disk-error.ts';
import type { FileOperations } from './file-operations.ts';

/** A bound on memory, not a limit: what is forgotten is only checked again. */
const MAX_REMEMBERED = 100_000;

/** Folders below one root whose own names are durable, and the syncing of what is in them. */
export interface DurableFolders {
  /** Resolves when the folder exists and every name on the way from the root to it is durable. */
  ensure(folder: string): Promise<void>;
  /** Resolves when every name put into the folder before the call is durable. Calls that overlap share one fsync. */
  sync(folder: string): Promise<void>;
  /** Somebody removed folders: look again. */
  forget(): void;
}

export function durableFolders(root: string, operations: FileOperations): DurableFolders {
  const ensured = new Map<string, Promise<void>>();
  const sync = coalesced((folder) => operations.syncFolder(folder));

  async function makeRoot(folder: string): Promise<void> {
    const made = await makeFolder(folder, operations);
    if (made === 'exists') return;
    if (made === 'no-parent') {
      await makeRoot(dirname(folder));
      await makeFolder(folder, operations);
    }
    await sync(dirname(folder));
  }

  async function make(folder: string): Promise<void> {
    if (folder === root) return makeRoot(root);
    await ensure(dirname(folder));
    await makeFolder(folder, operations);
    // Also when it was there: whoever made it may have died before its name was durable.
    await sync(dirname(folder));
  }

  function ensure(folder: string): Promise<void> {
    const known = ensured.get(folder);
    if (known !== undefined) return known;
    if (ensured.size >= MAX_REMEMBERED) ensured.clear();
    const made = make(folder);
    ensured.set(folder, made);
    made.catch(() => ensured.delete(folder));
    return made;
  }

  return { ensure, sync, forget: () => ensured.clear() };
}

async function makeFolder(folder: string, operations: FileOperations): Promise<'made' | 'exists' | 'no-parent'> {
  try {
    await operations.makeFolder(folder);
    return 'made';
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists';
    if (errnoOf(error) === 'ENOENT') return 'no-parent';
    throw error;
  }
}

/**
 * Group commit. A call that comes while a run for the same key is under way may not join it (that run may have passed the
 * caller's write already); all such callers share the one that follows.
 */
function coalesced(run: (key: string) => Promise<void>): (key: string) => Promise<void> {
  const turns = new Map<string, { started: boolean; done: Promise<void> }>();

  return (key) => {
    const before = turns.get(key);
    if (before !== undefined && !before.started) return before.done;
    const turn = { started: false, done: Promise.resolve() };
    const take = async (): Promise<void> => {
      await before?.done.catch(() => undefined);
      turn.started = true;
      try {
        await run(key);
      } finally {
        if (turns.get(key) === turn) turns.delete(key);
      }
    };
    turn.done = take();
    turns.set(key, turn);
    return turn.done;
  };
}
