import { createHash } from 'node:crypto';
import { type ArchiveFormat, openArchive } from '@granary/core/archive';
import type { ObjectFormat } from '@granary/core/git';

/** A file of a published archive, under the name that git would give its bytes. */
export interface PublishedFile {
  readonly path: string;
  readonly blobId: string;
}

/** Files of an archive, without those that are empty: every tree has one of these. Throws ArchiveError. */
export async function publishedFiles(bytes: Uint8Array, format: ArchiveFormat, objects: ObjectFormat): Promise<readonly PublishedFile[]> {
  const { entries } = await openArchive(bytes, format);
  return entries.flatMap(({ path, type, content }) => (type === 'file' && content.sizeBytes > 0 ? [{ path, blobId: blobId(content.read(), objects) }] : []));
}

/** Of what is no archive, the file itself. */
export function publishedDocument(fileName: string, bytes: Uint8Array, objects: ObjectFormat): readonly PublishedFile[] {
  return bytes.length === 0 ? [] : [{ path: fileName, blobId: blobId(bytes, objects) }];
}

/** gitformat-loose(5): the digest of a header and the bytes. */
function blobId(bytes: Uint8Array, objects: ObjectFormat): string {
  return createHash(objects).update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
