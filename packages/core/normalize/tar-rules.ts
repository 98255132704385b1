import { isExecutable, type TarEntry } from '../archive/index.ts';
import { withoutImpliedDirectories } from './implied-directories.ts';
import type { Normalizer } from './normalizer.ts';
import { tarEntryRule, tarRule, withHeader } from './rule.ts';

const tarImpliedDirectories = tarRule(
  { name: 'tar.implied-directories', version: 1, reason: 'an entry for a folder that holds other entries adds nothing to them' },
  withoutImpliedDirectories,
);

/** Keys that restate or date what the entry says (POSIX.1-2017 pax; `LIBARCHIVE.creationtime`, `SCHILY.*` of libarchive and star). */
const PLAIN_PAX_KEYS = new Set([
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'gname',
  'mtime',
  'atime',
  'ctime',
  'comment',
  'hdrcharset',
  'LIBARCHIVE.creationtime',
  'SCHILY.dev',
  'SCHILY.ino',
  'SCHILY.nlink',
  'SCHILY.fflags',
]);

const tarPax = tarEntryRule(
  {
    name: 'tar.pax',
    version: 1,
    reason: 'which dialect of tar writes a long name, a size or a time says nothing about the file; other records, as extended attributes, are kept',
  },
  (entry) => {
    const kept = entry.header.pax.filter(([key]) => !PLAIN_PAX_KEYS.has(key));
    return withHeader(entry, {
      format: 'ustar',
      rawName: entry.path,
      typeflag: TYPEFLAGS[entry.type],
      ...(kept.length === entry.header.pax.length ? {} : { pax: kept }),
    });
  },
);

const TYPEFLAGS: Readonly<Record<TarEntry['type'], string>> = { file: '0', hardlink: '1', link: '2', device: '3', directory: '5', fifo: '6' };

const tarMtime = tarEntryRule({ name: 'tar.mtime', version: 1, reason: 'a time stamp says when a file was last written, not what is in it' }, (entry) =>
  withHeader(entry, { mtime: 0 }),
);

const tarOwner = tarEntryRule(
  { name: 'tar.owner', version: 1, reason: 'an unpacker without privileges, as every package manager is, gives files to itself' },
  (entry) => withHeader(entry, { uid: 0, gid: 0, uname: '', gname: '' }),
);

const tarMode = tarEntryRule(
  {
    name: 'tar.mode-reduce',
    version: 1,
    reason: 'of the permission bits only the executable one is content, the rest is the umask of a moment; that one and set-id bits are kept',
  },
  (entry) => {
    const mode = (entry.mode & 0o7000) | (entry.type === 'directory' || isExecutable(entry) ? 0o755 : 0o644);
    return mode === entry.mode ? entry : { ...entry, mode };
  },
);

const tarOrder = tarRule(
  { name: 'tar.order', version: 1, reason: 'the order of entries has no meaning to an unpacker once no path stands twice' },
  (archive) => {
    const entries = archive.entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return entries.every((entry, index) => entry === archive.entries[index]) ? archive : { ...archive, entries };
  },
);

const gzipHeader = tarRule({ name: 'gz.header', version: 1, reason: 'the gzip header names the file, the time and the system of the compressor' }, (archive) =>
  archive.gzip.length === 0 ? archive : { ...archive, gzip: [] },
);

/** Rules for what a tar, gzipped or not, says apart from paths, types, executable bits and bytes. */
export const tarNormalizers: readonly Normalizer[] = [gzipHeader, tarImpliedDirectories, tarPax, tarMode, tarOwner, tarMtime, tarOrder];
