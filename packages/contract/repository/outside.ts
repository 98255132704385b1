import type { LargeFile } from '@granary/core/lfs';
import { canonicalJson, type Purl, PurlShape, type Sha256, Sha256Shape } from '@granary/core/model';
import { z } from 'zod';
import { type BlobStore, StoreError } from '../ports/index.ts';

/** What the trees of a repository name and its packs don't have: the blob behind `outside` of an `observed` fact. */
export interface Outside {
  /** As they were ever seen; those of `HEAD` now come first. */
  readonly submodules: readonly Submodule[];
  /** Of now. */
  readonly notCovered: readonly NotCovered[];
  /** As they were ever seen. */
  readonly largeFiles: readonly LargeFile[];
}
export interface Submodule {
  readonly path: string;
  readonly repository: Purl;
}
/** `address`: `url` leads to no repository over https. `unreadable`: what stands at the path isn't what git reads, or is too large. `too-many`: of which the rest is left out. */
export interface NotCovered {
  readonly path: string;
  readonly why: 'address' | 'unreadable' | 'too-many';
  readonly url?: string;
}

export const NOTHING_OUTSIDE: Outside = { submodules: [], notCovered: [], largeFiles: [] };
/** As large as one is written: a hundred thousand large files, and some thousand submodules. */
const MAX_DOCUMENT_BYTES = 32 * 2 ** 20;
const Document = z.object({
  granary: z.literal(1),
  type: z.literal('git-outside'),
  submodules: z.array(z.object({ path: z.string(), repository: PurlShape })),
  notCovered: z.array(z.object({ path: z.string(), why: z.enum(['address', 'unreadable', 'too-many']), url: z.string().optional() })),
  /** Digest and size in bytes. */
  largeFiles: z.array(z.tuple([Sha256Shape, z.int().positive()])),
});

/** Canonical bytes: the same things outside are the same blob. */
export function encodeOutside({ submodules, notCovered, largeFiles }: Outside): Uint8Array {
  const document = {
    granary: 1,
    type: 'git-outside',
    submodules: submodules.map(({ path, repository }) => ({ path, repository })),
    notCovered: notCovered.map(({ path, why, url }) => ({ path, why, ...(url === undefined ? {} : { url }) })),
    largeFiles: largeFiles.map(({ oid, sizeBytes }) => [oid, sizeBytes]),
  };
  return new TextEncoder().encode(canonicalJson(document));
}

/** Throws StoreError where it isn't in the store, ZodError on what {@link encodeOutside} didn't write. */
export async function readOutside(blobs: Pick<BlobStore, 'read'>, digest: Sha256): Promise<Outside> {
  const bytes = await blobs.read(digest, MAX_DOCUMENT_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `read what lies outside a repository ${digest}: not in the store`);
  const { submodules, notCovered, largeFiles } = Document.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return {
    submodules,
    notCovered: notCovered.map(({ url, ...rest }) => ({ ...rest, ...(url === undefined ? {} : { url }) })),
    largeFiles: largeFiles.map(([oid, sizeBytes]) => ({ oid, sizeBytes })),
  };
}
