import { join, resolve } from 'node:path';
import type { Store } from '@granary/contract/ports';
import { trackWrites } from '@granary/contract/work';
import { type ObjectKey, parseObjectKey } from '@granary/core/layout';
import { durableFiles } from './durable-files.ts';
import { type FileOperations, nodeFileOperations } from './file-operations.ts';
import { fsBlobs } from './fs-blobs.ts';
import { fsObjects } from './fs-objects.ts';
import { sweepTempFiles, tempOwner } from './temp-files.ts';

export interface FsStoreOptions {
  /** The steps on the disk; node:fs unless a test makes one of them fail. */
  readonly operations?: FileOperations;
}

/**
 * The archive in a folder of a local file system, which any number of processes may read and write at once. The folder is
 * made by the first write. Removes unfinished files of dead processes. Disposing waits for the writes under way.
 */
export async function openFsStore(folder: string, { operations = nodeFileOperations }: FsStoreOptions = {}): Promise<Store & AsyncDisposable> {
  const root = resolve(folder);
  await sweepTempFiles(root, operations);
  const writes = trackWrites();
  const files = durableFiles(root, await tempOwner(), operations);
  const pathOf = (key: ObjectKey): string => join(root, checked(key));
  const { objects, mutable } = fsObjects({ root, files, operations, pathOf });
  const blobs = fsBlobs({ root, files, pathOf });

  return {
    objects: { ...objects, putOnce: (key, bytes) => writes.add(objects.putOnce(key, bytes)) },
    mutable: { replace: (key, bytes) => writes.add(mutable.replace(key, bytes)), remove: (key) => writes.add(mutable.remove(key)) },
    blobs: { ...blobs, put: (source, expect) => writes.add(blobs.put(source, expect)) },
    [Symbol.asyncDispose]: () => writes.settled(),
  };
}

/** Keys are made by the layout; one that was forged past its type must still not leave the folder. */
function checked(key: ObjectKey): ObjectKey {
  if (parseObjectKey(key) === undefined) throw new RangeError(`object key ${JSON.stringify(key)}: not a plain relative path`);
  return key;
}
