import type { TarArchive } from '@granary/core/archive';

/** What cargo looks for by name (the Cargo book, package layout and target auto-discovery). */
const PLACE = /^(?:Cargo\.toml|build\.rs|src\/(?:lib|main)\.rs|(?:src\/bin|examples|tests|benches)\/[^/]+(?:\.rs|\/main\.rs))$/;
const PLACE_ANY_CASE = new RegExp(PLACE.source, 'iu');
const SOURCE_FOLDER = /\.rs\//iu;

/** The files of a crate, by their paths in its folder. */
export interface PackedFiles {
  readonly folder: string;
  readonly paths: ReadonlySet<string>;
  /** Would any file system that a crate is unpacked to have a file at this path, which may be spelled otherwise? */
  mayHave(path: string): boolean;
}

/**
 * Undefined where what cargo finds depends on where the crate is unpacked: entries beside its one folder, links, folders that are named as sources are, and files that only some
 * file systems would find in a place of cargo's (`Build.rs`). Untrusted.
 */
export function packedFiles({ entries }: TarArchive): PackedFiles | undefined {
  const folder = entries[0]?.path.split('/')[0];
  if (folder === undefined) return undefined;
  const paths = new Set<string>();
  for (const { path, type } of entries) {
    const inFolder = path.slice(folder.length + 1);
    if (path !== folder && !path.startsWith(`${folder}/`)) return undefined;
    if ((type !== 'file' && type !== 'directory') || SOURCE_FOLDER.test(asElsewhere(type === 'file' ? inFolder : `${inFolder}/`))) return undefined;
    if (type === 'directory') continue;
    if (PLACE_ANY_CASE.test(asElsewhere(inFolder)) && !(PLACE.test(inFolder) && asElsewhere(inFolder) === inFolder)) return undefined;
    paths.add(inFolder);
  }
  const elsewhere = new Set([...paths].map((path) => withoutCase(asElsewhere(path))));
  return { folder, paths, mayHave: (path) => elsewhere.has(withoutCase(asElsewhere(path))) };
}

/** As systems write a path that drop dots and spaces at the end of a name, streams, and characters that nobody sees. */
function asElsewhere(path: string): string {
  return path
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll(/:[^/]*/g, '')
    .replaceAll(/(?<![. ])[. ]+(?=\/|$)/g, '');
}

/** Both ways, as some letters have only one of them. */
function withoutCase(path: string): string {
  return path.toUpperCase().toLowerCase();
}
