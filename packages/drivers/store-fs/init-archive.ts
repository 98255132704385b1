import { type Store, StoreError } from '@granary/contract/ports';
import { FORMAT_KEY } from '@granary/core/layout';
import { canonicalJson, parseCanonicalJson } from '@granary/core/model';

/** The format that this code reads and writes. */
export const ARCHIVE_FORMAT = 1;
const MAX_FORMAT_BYTES = 65_536;

/** What `granary.json` says: written once when the archive is made. */
export interface ArchiveFormat {
  readonly format: number;
  /** Origins of the first ledgers; later keys and logs are facts. */
  readonly origins: readonly string[];
}

/** Marks a store as an archive. The same again succeeds; throws StoreError `key-taken` when it is another archive already. */
export async function initArchive(store: Store, { format, origins }: ArchiveFormat): Promise<void> {
  try {
    await store.objects.putOnce(FORMAT_KEY, new TextEncoder().encode(canonicalJson({ format, origins })));
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'key-taken') throw error;
    const held = await readArchive(store);
    const message = `put ${FORMAT_KEY}: the store is the archive of ${held?.origins.join(', ')}, not of ${origins.join(', ')}: give this site a folder of its own, or its own keys back`;
    throw new StoreError('key-taken', message, { cause: error });
  }
}

/** Undefined when the store is no archive yet. Throws RangeError when it is one that this version cannot read. */
export async function readArchive({ objects }: Store): Promise<ArchiveFormat | undefined> {
  const bytes = await objects.get(FORMAT_KEY, MAX_FORMAT_BYTES);
  return bytes === undefined ? undefined : parseFormat(new TextDecoder().decode(bytes));
}

function parseFormat(text: string): ArchiveFormat {
  const value = parseCanonicalJson(text);
  if (typeof value !== 'object' || value === null || !('format' in value) || !('origins' in value))
    throw new RangeError(`${FORMAT_KEY}: not the format file of an archive`);
  const { format, origins } = value;
  if (format !== ARCHIVE_FORMAT) throw new RangeError(`${FORMAT_KEY}: format ${String(format)}, this version of Granary reads ${ARCHIVE_FORMAT}`);
  if (!Array.isArray(origins) || !origins.every((origin) => typeof origin === 'string')) throw new RangeError(`${FORMAT_KEY}: origins are not a list of names`);
  return { format, origins };
}
