import { z } from 'zod';
import { isJsonDeeperThan, Sha256Shape } from '../model/index.ts';
import type { LargeFile } from './pointer.ts';

/** Of requests and answers (docs/api/batch.md). */
export const LFS_MEDIA_TYPE = 'application/vnd.git-lfs+json';
/** As many as git-lfs names at once. */
export const BATCH_FILES = 100;

/** What a client asks; `refused`: what no answer can be given to, with the status that says why. */
export type BatchRequest =
  | { readonly operation: 'download'; readonly files: readonly LargeFile[] }
  | { readonly operation: 'upload' }
  | { readonly operation: 'refused'; readonly status: 409 | 413 | 422; readonly why: string };

const MAX_FILES = 1000;
const MAX_DEPTH = 16;
const Request = z.object({
  operation: z.enum(['download', 'upload']),
  hash_algo: z.string().nullish(),
  objects: z.array(z.object({ oid: Sha256Shape, size: z.int().nonnegative() })),
});

export function encodeBatchRequest(files: readonly LargeFile[]): Uint8Array {
  const objects = files.map(({ oid, sizeBytes }) => ({ oid, size: sizeBytes }));
  return new TextEncoder().encode(JSON.stringify({ operation: 'download', transfers: ['basic'], objects, hash_algo: 'sha256' }));
}

/** Bytes of a stranger, whose length was bounded before. Any client has the basic adapter, whatever it lists. */
export function parseBatchRequest(bytes: Uint8Array): BatchRequest {
  const request = isJsonDeeperThan(bytes, MAX_DEPTH) ? undefined : Request.safeParse(jsonOf(bytes)).data;
  if (request === undefined)
    return { operation: 'refused', status: 422, why: 'expected JSON with an operation and objects, each with an oid (the sha256 of the file) and a size' };
  const { operation, hash_algo: algorithm, objects } = request;
  if (operation === 'upload') return { operation };
  if (algorithm !== undefined && algorithm !== null && algorithm !== 'sha256')
    return { operation: 'refused', status: 409, why: 'files are named by sha256 here' };
  if (objects.length > MAX_FILES) return { operation: 'refused', status: 413, why: `more than ${MAX_FILES} objects at once: ask for fewer` };
  return { operation, files: objects.map(({ oid, size }) => ({ oid, sizeBytes: size })) };
}

/** Undefined for what is no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
