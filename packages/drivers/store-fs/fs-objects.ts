import { type MutableObjects, type ObjectStore, StoreError } from '@granary/contract/ports';
import { isMutable, type ObjectKey } from '@granary/core/layout';
import pLimit from 'p-limit';
import { errnoOf, onDisk } from './disk-error.ts';
import type { DurableFiles, FilePlan } from './durable-files.ts';
import type { FileOperations } from './file-operations.ts';
import { listKeys } from './list-keys.ts';
import { fileSize, fileSizeNow, readWhole } from './read-file.ts';

/** Enough for one fsync to carry many writes; few enough for reads, which share Node's few file threads with them, not to wait long. */
const MAX_OPEN_WRITES = 64;

export interface FsObjects {
  readonly root: string;
  readonly files: DurableFiles;
  readonly operations: FileOperations;
  /** Throws RangeError on a key that could leave the root. */
  readonly pathOf: (key: ObjectKey) => string;
}

export function fsObjects(parts: FsObjects): { readonly objects: ObjectStore; readonly mutable: MutableObjects } {
  const { root, files, operations, pathOf } = parts;
  const limit = pLimit(MAX_OPEN_WRITES);

  return {
    objects: {
      putOnce: (key, bytes) => limit(() => putOnce(parts, key, bytes)),
      async get(key, maxBytes) {
        const path = pathOf(key);
        return onDisk(`get ${key}`, root, () => readWhole(path, `get ${key}`, maxBytes));
      },
      list: (prefix) => listKeys(root, prefix),
    },
    mutable: {
      async replace(key, bytes) {
        refuseImmutable('replace', key);
        await limit(() => files.replace(wholeFile(`replace ${key}`, pathOf(key), bytes)));
      },
      async remove(key) {
        refuseImmutable('remove', key);
        const path = pathOf(key);
        await onDisk(`remove ${key}`, root, () => removeIfPresent(path, operations));
      },
    },
  };
}

async function putOnce({ root, files, pathOf }: FsObjects, key: ObjectKey, bytes: Uint8Array): Promise<void> {
  const what = `put ${key}`;
  const path = pathOf(key);
  // A pending fact may be drained between a refusal to overwrite it and a look at it: then it is put again.
  for (;;) {
    if (await onDisk(what, root, () => holdsSame(path, bytes, what))) return files.confirm(path, what);
    const { outcome } = await files.create(wholeFile(what, path, bytes));
    if (outcome === 'created') return;
  }
}

/** False when there is no such file; throws StoreError `key-taken` when it holds other bytes. */
async function holdsSame(path: string, bytes: Uint8Array, what: string): Promise<boolean> {
  const sizeBytes = fileSizeNow(path);
  if (sizeBytes === undefined) return false;
  const stored = sizeBytes === bytes.length ? await readWhole(path, what, bytes.length) : undefined;
  if (stored !== undefined && Buffer.compare(stored, bytes) === 0) return true;
  if (stored === undefined && (await fileSize(path)) === undefined) return false;
  throw new StoreError('key-taken', `${what}: other bytes already stored`);
}

function wholeFile(what: string, path: string, bytes: Uint8Array): FilePlan<void> {
  return { what, fill: (write) => write(bytes), path: () => path };
}

async function removeIfPresent(path: string, operations: FileOperations): Promise<void> {
  try {
    await operations.remove(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
}

function refuseImmutable(verb: string, key: ObjectKey): void {
  if (!isMutable(key)) throw new StoreError('immutable', `${verb} ${key}: written once, never changed`);
}
