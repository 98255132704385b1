import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BlobStore, SandboxError } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';

/** Writes a stored blob to a file, hashing it again on the way: a store's disk may rot. Throws SandboxError `rootfs-missing` when it is absent. */
export async function copyBlob(blobs: BlobStore, digest: Sha256, file: string, mode = 0o644): Promise<void> {
  const blob = await blobs.open(digest);
  if (blob === undefined) throw new SandboxError('rootfs-missing', `read blob ${digest}: it is not in the store`);
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash('sha256');
  await pipeline(
    blob.stream,
    async function* (source) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file, { mode }),
  );
  if (hash.digest('hex') !== digest) throw new SandboxError('infrastructure', `read blob ${digest}: the store holds other bytes under that name`);
}
