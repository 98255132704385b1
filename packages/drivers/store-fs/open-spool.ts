import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Spool } from '@granary/contract/ports';
import { onDisk } from './disk-error.ts';

/** A file without a name: the kernel frees it when it is closed, or when the process dies in whatever way. */
export async function openSpool(folder: string): Promise<Spool> {
  const what = 'open a spool';
  await onDisk(what, folder, () => mkdir(folder, { recursive: true }));
  const path = join(folder, `spool-${randomUUID()}`);
  const file = await onDisk(what, folder, () => open(path, 'wx+', 0o600));
  let end = 0;
  await onDisk(what, folder, () => unlink(path));
  return {
    async append(bytes) {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await onDisk('write a spool', folder, () => file.write(bytes, written, bytes.length - written, end + written));
        written += bytesWritten;
      }
      end += written;
    },
    async read(position, maxBytes) {
      const length = Math.max(0, Math.min(maxBytes, end - position));
      const { buffer, bytesRead } = await onDisk('read a spool', folder, () => file.read(Buffer.allocUnsafe(length), 0, length, position));
      return buffer.subarray(0, bytesRead);
    },
    close: () => onDisk('close a spool', folder, () => file.close()),
  };
}
