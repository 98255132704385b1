import { type Spool, StoreError } from '../ports/index.ts';

export function memorySpool(): Spool {
  let bytes = Buffer.alloc(0);
  let open = true;
  return {
    async append(more) {
      bytes = Buffer.concat([bytes, more]);
    },
    async read(position, maxBytes) {
      if (!open) throw new StoreError('unreachable', 'read a spool: it is closed');
      return bytes.subarray(position, position + maxBytes);
    },
    async close() {
      open = false;
    },
  };
}
