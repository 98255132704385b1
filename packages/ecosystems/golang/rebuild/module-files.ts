import type { SourceFile } from '@granary/core/compare';
import { MAX_GO_MOD_BYTES, MAX_ZIP_BYTES } from '../dirhash.ts';
import { isAtLeast, type LanguageVersion, parseGoMod } from '../go-mod.ts';
import { foldCase, isFilePath } from './file-names.ts';

/** golang.org/x/mod/zip: MaxLICENSE. */
const MAX_LICENSE_BYTES = 16 * 2 ** 20;
/** From there on `vendor/modules.txt` is left out, and what lies directly in a nested `vendor` isn't. */
const VENDORING_MENDED: LanguageVersion = { major: 1, minor: 24 };

/** A file as the module has it. */
interface ModuleFile {
  /** Below the module's root. */
  readonly path: string;
  readonly source: SourceFile;
}

/**
 * The files of a module's zip as a function of a repository's tree, path in the module to path in the tree: what golang.org/x/mod/zip (Create) takes of what cmd/go
 * (modfetch, codeRepo.Zip) gives it. Undefined for a tree of which no zip can be made: names that no module may have, or that differ in case only, and files that are too large.
 * Not followed: attributes that make git write other line ends than it keeps (`eol=crlf`), which differ in these.
 */
export function moduleFiles(tree: readonly SourceFile[], directory: string): ReadonlyMap<string, string> | undefined {
  const files = filesBelow(tree, directory);
  const kept = withoutOthers(files);
  if (kept.some(({ path }) => !isFilePath(path) || (path !== 'go.mod' && path.toLowerCase() === 'go.mod')) || collide(kept)) return undefined;
  const taken = kept.filter(({ source }) => source.type === 'file');
  const total = taken.reduce((sum, { source }) => sum + source.sizeBytes, 0);
  const isTooLarge = total > MAX_ZIP_BYTES || taken.some(({ path, source }) => source.sizeBytes > maxBytesOf(path));
  return isTooLarge ? undefined : new Map(taken.map(({ path, source }) => [path, source.path]));
}

/** A module in a folder that has no licence of its own is given the repository's. */
function filesBelow(tree: readonly SourceFile[], directory: string): readonly ModuleFile[] {
  if (directory === '') return tree.map((source) => ({ path: source.path, source }));
  const files = tree.flatMap((source) => (source.path.startsWith(`${directory}/`) ? [{ path: source.path.slice(directory.length + 1), source }] : []));
  const licence = tree.find(({ path, sizeBytes }) => path === 'LICENSE' && sizeBytes <= MAX_LICENSE_BYTES);
  return licence === undefined || files.some(({ path }) => path === 'LICENSE') ? files : [...files, { path: 'LICENSE', source: licence }];
}

/** Without packages of others that lie in between: vendored ones, and modules of their own. */
function withoutOthers(files: readonly ModuleFile[]): readonly ModuleFile[] {
  const isMended = isVendoringMended(files);
  const nested = new Set(
    files.flatMap(({ path, source }) => (source.type === 'file' && /\/go\.mod$/i.test(path) ? [path.slice(0, path.lastIndexOf('/'))] : [])),
  );
  return files.filter(({ path }) => path !== '.hg_archival.txt' && !isVendored(path, isMended) && !foldersOf(path).some((folder) => nested.has(folder)));
}

function isVendoringMended(files: readonly ModuleFile[]): boolean {
  const goMod = files.find(({ path, source }) => path === 'go.mod' && source.type === 'file' && source.sizeBytes <= MAX_GO_MOD_BYTES);
  const language = goMod === undefined ? undefined : parseGoMod(goMod.source.read()).language;
  return language !== undefined && isAtLeast(language, VENDORING_MENDED);
}

/** golang.org/x/mod/zip, isVendoredPackage: before 1.24 the place after a nested `/vendor/` was counted from the path's beginning, and zips of then stay as they are. */
function isVendored(path: string, isMended: boolean): boolean {
  if (isMended && path === 'vendor/modules.txt') return true;
  const vendor = '/vendor/';
  if (path.startsWith('vendor/')) return path.includes('/', 'vendor/'.length);
  const nested = path.indexOf(vendor);
  return nested >= 0 && path.includes('/', isMended ? nested + vendor.length : vendor.length);
}

function collide(files: readonly ModuleFile[]): boolean {
  const spelled = new Map<string, string>();
  return files.some(({ path }) =>
    [path, ...foldersOf(path)].some((place) => {
      const folded = foldCase(place);
      const other = spelled.get(folded);
      spelled.set(folded, place);
      return other !== undefined && other !== place;
    }),
  );
}

function maxBytesOf(path: string): number {
  return path === 'go.mod' ? MAX_GO_MOD_BYTES : path === 'LICENSE' ? MAX_LICENSE_BYTES : MAX_ZIP_BYTES;
}

/** All folders that a path leads through. */
function foldersOf(path: string): readonly string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) folders.push(path.slice(0, end));
  return folders;
}
