import { createHash } from 'node:crypto';
import { EcosystemError } from '@granary/contract/ecosystem';
import { type ArchiveEntry, ArchiveError, DEFAULT_ARCHIVE_LIMITS, readZip } from '@granary/core/archive';
import { type Sha256, sha256 } from '@granary/core/model';

/** golang.org/x/mod/zip: MaxZipFile. */
export const MAX_ZIP_BYTES = 500 * 2 ** 20;
/** golang.org/x/mod/zip: MaxGoMod. */
export const MAX_GO_MOD_BYTES = 16 * 2 ** 20;

interface HashedFile {
  readonly name: string;
  readonly sha256: Sha256;
}

/** Hash of a `go.mod` alone (golang.org/x/mod/sumdb/dirhash, Hash1). */
export function hashGoMod(bytes: Uint8Array): string {
  return hashFiles([{ name: 'go.mod', sha256: sha256(bytes) }]);
}

/** Hash of the files in a module zip, each of which must lie below `prefix`. Throws EcosystemError `malformed`. */
export async function hashZip(bytes: Uint8Array, prefix: string): Promise<string> {
  try {
    const { entries } = await readZip(bytes, { ...DEFAULT_ARCHIVE_LIMITS, maxArchiveBytes: MAX_ZIP_BYTES });
    const files = entries.map((entry) => hashEntry(entry, prefix));
    if (new Set(files.map(({ name }) => name)).size !== files.length) throw new EcosystemError('malformed', `module zip ${prefix}: a file stands twice`);
    return hashFiles(files);
  } catch (cause) {
    if (cause instanceof ArchiveError) throw new EcosystemError('malformed', `module zip ${prefix}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Names exactly as they are written: the hash is over them. */
function hashEntry(entry: ArchiveEntry, prefix: string): HashedFile {
  const name = Buffer.from(entry.header.rawName, 'latin1').toString();
  if (entry.type !== 'file' || !name.startsWith(prefix) || name.includes('\n'))
    throw new EcosystemError('malformed', `module zip ${prefix}: ${JSON.stringify(name.slice(0, 200))} is no file of the module`);
  return { name, sha256: entry.content.sha256() };
}

/** A line of digest and name for each file, in the order of the names' bytes. */
function hashFiles(files: readonly HashedFile[]): string {
  const hash = createHash('sha256');
  const sorted = files.toSorted((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
  for (const { name, sha256: digest } of sorted) hash.update(`${digest}  ${name}\n`);
  return `h1:${hash.digest('base64')}`;
}
