import { type ArchiveEntry, findEntry, openArchive } from '@granary/core/archive';
import { formatOf } from '../core-metadata.ts';
import { type MetadataShape, readMetadataShape } from './metadata-shape.ts';
import { stampOf } from './zip-stamps.ts';

/** What a published source archive says about how it was made. Read from untrusted bytes. */
export interface SdistEvidence {
  readonly metadata: MetadataShape;
  /** As of wheels: of the entry_points.txt beside its metadata, where there is one. */
  readonly entryPointsEndBlank: boolean | undefined;
  /** Permission bits of PKG-INFO, which the build wrote itself. */
  readonly metadataMode: number;
  /** The one time, in seconds, that its files carry, and its gzip header, each as far as it states one: somebody said it. Undefined when they differ. */
  readonly stamp: number | undefined;
  /** When it was packed, in seconds: of the gzip header, or else of PKG-INFO. Undefined when neither says. */
  readonly packedAt: number | undefined;
}

const MAX_TEXT_BYTES = 4 * 2 ** 20;

/** Undefined when it isn't a source archive: no folder with PKG-INFO. Throws ArchiveError. */
export async function readSdistEvidence(fileName: string, bytes: Uint8Array): Promise<SdistEvidence | undefined> {
  const format = formatOf(fileName);
  if (format === undefined) return undefined;
  const archive = await openArchive(bytes, format);
  const path = archive.entries.map((entry) => entry.path).find((candidate) => /^[^/]+\/PKG-INFO$/.test(candidate));
  const written = path === undefined ? undefined : findEntry(archive, path);
  const metadata = textOf(written);
  if (written === undefined || metadata === undefined) return undefined;
  const entryPoints = textOf(archive.entries.find((entry) => /^[^/]+\/(?:[^/]+\/)?[^/]+\.egg-info\/entry_points\.txt$/.test(entry.path)));
  const packed = archive.format === 'tar' ? archive.gzip.map(({ mtime }) => mtime) : [];
  const stamps = new Set([...packed, ...archive.entries.flatMap((entry) => (entry.type === 'file' ? [timeOf(entry)] : []))].filter((time) => time !== 0));
  const [stamp] = stamps;
  return {
    metadata: readMetadataShape(metadata),
    entryPointsEndBlank: entryPoints === undefined ? undefined : /\n\r?\n$/.test(entryPoints),
    metadataMode: written.mode & 0o777,
    stamp: stamps.size === 1 ? stamp : undefined,
    packedAt: [...packed, timeOf(written)].find((time) => time !== 0),
  };
}

function textOf(entry: ArchiveEntry | undefined): string | undefined {
  if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_TEXT_BYTES) return undefined;
  return new TextDecoder().decode(entry.content.read());
}

function timeOf(entry: ArchiveEntry): number {
  return 'dosTime' in entry.header ? stampOf(entry.header) : entry.header.mtime;
}
