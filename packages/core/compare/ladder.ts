import { type ArchiveEntry, type EntryBase, isExecutable } from '../archive/index.ts';
import { type Sha256, sha256 } from '../model/index.ts';
import { type ArchivePair, pairEntries } from './pairing.ts';

/** Whether both say the same of every entry, in the same order, and only compressed it differently. */
export function isSameContent({ upstream, rebuild }: ArchivePair): boolean {
  if (upstream.format === 'tar' && rebuild.format === 'tar') return Buffer.compare(upstream.tarBytes, rebuild.tarBytes) === 0;
  if (upstream.format !== 'zip' || rebuild.format !== 'zip' || upstream.comment !== rebuild.comment || upstream.entries.length !== rebuild.entries.length)
    return false;
  return upstream.entries.every((entry, index) => {
    const other = rebuild.entries[index];
    return (
      other !== undefined &&
      isSameFile(entry, other) &&
      differingFields(entry, other).every((field) => COMPRESSION_FIELDS.has(field)) &&
      isSameButLevel(entry.header.flags, other.header.flags)
    );
  });
}

const COMPRESSION_FIELDS: ReadonlySet<string> = new Set(['method', 'flags', 'extractVersion', 'localExtractVersion']);

/** APPNOTE 4.4.4: bits 1 and 2 say how hard the compressor tried. */
function isSameButLevel(a: number, b: number): boolean {
  return (a & ~0x6) === (b & ~0x6);
}

/** What unpacking leaves: path, type, executable bit, link target, digest of the bytes. */
function fileOf(entry: EntryBase): string {
  return JSON.stringify([entry.path, entry.type, isExecutable(entry), entry.target ?? '', entry.content.sha256()]);
}

/** Digest of the files, whatever the order of the entries. */
export function filesDigest({ entries }: { readonly entries: readonly EntryBase[] }): Sha256 {
  return sha256(entries.map(fileOf).sort().join('\n'));
}

/** As `fileOf(a) === fileOf(b)`, without making the text. */
function isSameFile(a: ArchiveEntry, b: ArchiveEntry): boolean {
  return (
    a.path === b.path &&
    a.type === b.type &&
    isExecutable(a) === isExecutable(b) &&
    a.target === b.target &&
    (a.content === b.content || a.content.sha256() === b.content.sha256())
  );
}

/** Header fields that differ between two entries, by name. */
function differingFields(upstream: ArchiveEntry, rebuild: ArchiveEntry): readonly string[] {
  const names = upstream.mode === rebuild.mode ? [] : ['mode'];
  for (const name of Object.keys(upstream.header)) {
    const [their, our]: readonly [unknown, unknown] = [Reflect.get(upstream.header, name), Reflect.get(rebuild.header, name)];
    // Only pax records are no plain value.
    if (their !== our && (typeof their !== 'object' || JSON.stringify(their) !== JSON.stringify(our))) names.push(name);
  }
  return names;
}

/** One way in which two archives differ: `file`, a side that alone has an entry, or a field of archive metadata. */
export interface RawDifference {
  readonly what: string;
  /** Undefined when it is about the archive as a whole. */
  readonly path?: string;
}

/** Every way in which the two still differ, files and archive metadata alike, in a fixed order. */
export function differencesOf(pair: ArchivePair): readonly RawDifference[] {
  const differences: RawDifference[] = [];
  for (const paired of pairEntries(pair)) {
    const { path } = paired;
    if (paired.in !== 'both') differences.push({ what: paired.in, path });
    else {
      if (!isSameFile(paired.upstream, paired.rebuild)) differences.push({ what: 'file', path });
      for (const field of differingFields(paired.upstream, paired.rebuild)) differences.push({ what: field, path });
    }
  }
  return [...differences, ...containerDifferences(pair)];
}

/** What the two containers say differently apart from any entry. */
function containerDifferences({ upstream, rebuild }: ArchivePair): readonly RawDifference[] {
  const isOrdered = upstream.entries.every((entry, index) => entry.path === rebuild.entries[index]?.path);
  const differences: RawDifference[] = isOrdered ? [] : [{ what: 'order' }];
  if (upstream.format === 'zip' && rebuild.format === 'zip' && upstream.comment !== rebuild.comment) differences.push({ what: 'comment' });
  if (upstream.format === 'tar' && rebuild.format === 'tar' && JSON.stringify(upstream.gzip) !== JSON.stringify(rebuild.gzip))
    differences.push({ what: 'gzip' });
  return differences;
}
