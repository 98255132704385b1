import type { ZipEntry } from '../archive/index.ts';
import { isExecutable } from '../archive/index.ts';
import { withoutImpliedDirectories } from './implied-directories.ts';
import type { Normalizer } from './normalizer.ts';
import { withHeader, zipEntryRule, zipRule } from './rule.ts';

/** MS-DOS times start at 1980-01-01 00:00:00. */
const DOS_EPOCH = 0x0021_0000;

const zipOrder = zipRule(
  { name: 'zip.order', version: 1, reason: 'the order of entries has no meaning to an unpacker once no path stands twice' },
  (archive) => {
    const entries = archive.entries.toSorted((a, b) => compareText(a.path, b.path)).map((entry, position) => withHeader(entry, { position }));
    return entries.every((entry, index) => entry === archive.entries[index]) ? archive : { ...archive, entries };
  },
);

const zipTime = zipEntryRule({ name: 'zip.time', version: 1, reason: 'a time stamp says when an archive was packed, not what is in it' }, (entry) =>
  withHeader(entry, { dosTime: DOS_EPOCH, localDosTime: DOS_EPOCH }),
);

const zipAttributes = zipEntryRule(
  {
    name: 'zip.attrs-reduce',
    version: 1,
    reason: 'of the permission bits and the creating system only type and executable bit reach an installation; those are kept',
  },
  (entry) => {
    const mode = reducedMode(entry);
    const reduced = withHeader(entry, { createSystem: 3, createVersion: 20, internalAttributes: 0, externalAttributes: mode * 0x10000 });
    return reduced.mode === mode ? reduced : { ...reduced, mode };
  },
);

/** APPNOTE 4.4.4: bits 1 and 2 say how hard the compressor tried, 3 that sizes follow the data, 11 that names are UTF-8 (which is how they were read). */
const PACKING_FLAGS = 0x80e;

const zipMethod = zipEntryRule(
  { name: 'zip.method', version: 1, reason: 'how bytes are compressed and where their sizes are written says nothing about them' },
  (entry) => withHeader(entry, { method: 0, flags: entry.header.flags & ~PACKING_FLAGS, extractVersion: 20, localExtractVersion: 20 }),
);

/** Zip64 sizes, NTFS times, extended and Unix times and owners (APPNOTE 4.5.2, Info-ZIP): each restates or dates, none changes content. */
const PLAIN_EXTRA_FIELDS = new Set([0x0001, 0x000a, 0x5455, 0x5855, 0x7855, 0x7875]);

const zipExtra = zipEntryRule(
  { name: 'zip.extra', version: 1, reason: 'extra fields for sizes, times and owners repeat or date what the entry says; any other field is kept' },
  (entry) => withHeader(entry, { extra: keptExtra(entry.header.extra), localExtra: keptExtra(entry.header.localExtra) }),
);

const zipImpliedDirectories = zipRule(
  { name: 'zip.implied-directories', version: 1, reason: 'an entry for a folder that holds other entries adds nothing to them' },
  withoutImpliedDirectories,
);

/** Rules for what a zip says apart from paths, types, executable bits and bytes. */
export const zipNormalizers: readonly Normalizer[] = [zipImpliedDirectories, zipMethod, zipExtra, zipAttributes, zipTime, zipOrder];

function reducedMode(entry: ZipEntry): number {
  // Bits above the nine are not reduced away: set-id entries must stay visible.
  return (entry.mode & 0o7000) | (entry.type === 'directory' || isExecutable(entry) ? 0o755 : 0o644);
}

function keptExtra(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const kept: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) break;
    if (!PLAIN_EXTRA_FIELDS.has(bytes.readUInt16LE(at))) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, bytes.subarray(at)]).toString('hex');
}

/** By code unit, the same everywhere. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
