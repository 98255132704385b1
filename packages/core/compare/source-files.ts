import {
  type Archive,
  type ArchiveEntry,
  ArchiveError,
  type ArchiveFormat,
  type ArchiveLimits,
  DEFAULT_ARCHIVE_LIMITS,
  readSafeEntries,
  type TarArchive,
  type TarEntry,
} from '../archive/index.ts';
import { sha256 } from '../model/index.ts';
import { rulesetDigest } from './compare-artifacts.ts';
import { CompareError } from './compare-error.ts';
import type { Comparison, Difference } from './comparison.ts';
import { mergeFindings } from './findings.ts';
import { filesDigest } from './ladder.ts';
import { openThrough, readThrough } from './open-through.ts';
import { residueOf } from './residue.ts';
import type { DifferingFile } from './rules.ts';
import { inspectSide, isRefused } from './side.ts';

/** Where the files of a published archive stand in its source. */
export interface SourceRules {
  readonly format: ArchiveFormat;
  /** Paths in the source where an entry may stand, best first; empty for what no source has. */
  placesOf(entryPath: string): readonly string[];
  /** All files of the archive as a function of the source's: entry path to path in the source. Left out where publishing does more than choose files. */
  filesOf?(source: readonly SourceFile[]): ReadonlyMap<string, string> | undefined;
  causeOf(file: DifferingFile): Difference['cause'];
}
export interface SourceFile {
  readonly path: string;
  readonly type: 'file' | 'link';
  readonly sizeBytes: number;
  /** Of a link nothing. */
  read(): Uint8Array;
}
export interface SourceRequest {
  readonly upstream: Uint8Array;
  /** A tar of the source. */
  readonly source: Uint8Array;
  readonly rules: SourceRules;
  readonly limits?: ArchiveLimits;
}

/**
 * Compares the files of a published archive with those of its source, without building anything. `source-subset` where each stands there, byte by byte;
 * `identical-files` where the archive is a function of the source and has all of it. What the source doesn't have is residue. Throws CompareError when a side can't be read.
 */
export async function compareWithSource({ upstream, source, rules, limits = DEFAULT_ARCHIVE_LIMITS }: SourceRequest): Promise<Comparison> {
  const published = withoutFolders(await openThrough('upstream', upstream, { format: rules.format, limits }));
  const tree = openSource(source, limits);
  const held = new Map(tree.entries.filter(({ type }) => type !== 'directory').map((entry) => [entry.path, entry]));
  const all = rules.filesOf?.(tree.entries.flatMap(sourceFile));
  const taken = all === undefined ? matching(published, held, rules) : chosen(published, held, all);
  const rebuild: TarArchive = { ...tree, entries: taken };
  await readThrough('rebuild', rebuild);
  const pair = { upstream: published, rebuild };
  const sides = { upstream: inspectSide(published, []), rebuild: inspectSide(pair.rebuild, []) };
  const digests = { upstream: sha256(upstream), rebuild: sha256(source), ruleset: rulesetDigest([]) };
  const findings = mergeFindings(sides.upstream.findings, []);
  const left = residueOf(pair, sides, { format: rules.format, normalizers: [], causeOf: rules.causeOf });
  const isWhole = left.residue.length === 0 && !sides.upstream.findings.some(isRefused);
  if (isWhole) {
    const rung = all === undefined ? 'source-subset' : 'identical-files';
    return { ...digests, rung, needed: [], normalizedSha256: filesDigest(pair.rebuild), residue: [], residueOmitted: 0, findings };
  }
  const residue = all === undefined ? left.residue.map((difference) => explained(difference, rules)) : left.residue;
  return { ...digests, rung: 'none', needed: [], residue, residueOmitted: left.residueOmitted, findings };
}

/** Nothing of a source is unpacked: of what no archive could hold, nobody could publish a file. */
function openSource(source: Uint8Array, limits: ArchiveLimits): TarArchive {
  try {
    return readSafeEntries(source, limits);
  } catch (cause) {
    if (!(cause instanceof ArchiveError)) throw cause;
    throw new CompareError('rebuild-unreadable', `compare: the tar of the source cannot be read: ${cause.message}`, { cause });
  }
}

function withoutFolders(archive: Archive): Archive {
  const isFile = ({ type }: ArchiveEntry): boolean => type !== 'directory';
  return archive.format === 'zip' ? { ...archive, entries: archive.entries.filter(isFile) } : { ...archive, entries: archive.entries.filter(isFile) };
}

function sourceFile({ path, type, content }: ArchiveEntry): readonly SourceFile[] {
  return type === 'file' || type === 'link' ? [{ path, type, sizeBytes: content.sizeBytes, read: () => content.read() }] : [];
}

/** For each entry what stands at its place: the same, where any of its places has that. */
function matching(published: Archive, held: ReadonlyMap<string, TarEntry>, rules: SourceRules): TarEntry[] {
  return published.entries.flatMap((entry) => {
    const places = rules.placesOf(entry.path).flatMap((path) => held.get(path) ?? []);
    const found = places.find((place) => hasSameBytes(place, entry)) ?? places[0];
    return found === undefined ? [] : [placed(found, entry.path, modeBeside(published, entry))];
  });
}

function hasSameBytes(place: TarEntry, entry: ArchiveEntry): boolean {
  return place.type === entry.type && place.target === entry.target && place.content.sha256() === entry.content.sha256();
}

function chosen(published: Archive, held: ReadonlyMap<string, TarEntry>, all: ReadonlyMap<string, string>): TarEntry[] {
  const byPath = new Map<string, ArchiveEntry>(published.entries.map((entry) => [entry.path, entry]));
  return [...all].flatMap(([path, place]) => {
    const found = held.get(place);
    return found === undefined ? [] : [placed(found, path, modeBeside(published, byPath.get(path)))];
  });
}

type ModeBeside = 'stated' | 'unstated';

/** A zip may state no modes, for each entry by itself: then it can't differ in them. */
function modeBeside({ format }: Archive, entry: ArchiveEntry | undefined): ModeBeside {
  return format === 'zip' && entry?.mode === 0 ? 'unstated' : 'stated';
}

function placed(found: TarEntry, path: string, mode: ModeBeside): TarEntry {
  return { ...found, path, mode: mode === 'unstated' ? 0 : found.mode };
}

/** What every packer writes anew is no file that somebody added. */
function explained(difference: Difference, rules: SourceRules): Difference {
  const isWritten = difference.kind === 'only-upstream' && rules.placesOf(difference.path).length === 0;
  return isWritten ? { ...difference, cause: 'build-metadata' } : difference;
}
