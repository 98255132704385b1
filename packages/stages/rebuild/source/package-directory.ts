import type { CommitManifest, CommitRules } from '@granary/contract/ecosystem';
import type { LocalRepository, TreeEntry } from '@granary/contract/ports';
import type { Artifact } from '@granary/core/model';

export interface FoundDirectory {
  /** `''` is the root. */
  readonly path: string;
  readonly manifest: CommitManifest;
}
export interface DirectoryWish {
  readonly target: Artifact;
  readonly rules: CommitRules;
  /** What the package says of itself. */
  readonly claimed?: string | undefined;
  /** No other folder is looked into. */
  readonly only?: string | undefined;
  /** Of the package, last part. */
  readonly name: string;
}

/** A manifest is a few KiB; of a tree with more packages than this the most likely are read. */
const MAX_MANIFEST_BYTES = 2 ** 20;
const MAX_MANIFESTS = 200;

/** The folder of a tree whose manifest is the package's; undefined where there is none. */
export async function packageDirectory(local: LocalRepository, tree: readonly TreeEntry[], wish: DirectoryWish): Promise<FoundDirectory | undefined> {
  const { rules, target, only, claimed } = wish;
  const isIn = (path: string): boolean => only === undefined || folderOf(path) === only;
  const manifests = tree.filter(({ type, path }) => type === 'file' && rules.manifests.includes(fileName(path)) && isIn(path));
  const likely = manifests.toSorted((one, other) => likelihood(other.path, wish) - likelihood(one.path, wish)).slice(0, MAX_MANIFESTS);
  const read = await local.blobs([...new Set(likely.map(({ objectId }) => objectId))], { maxBytes: MAX_MANIFEST_BYTES });
  for (const { path, objectId } of likely) {
    const bytes = read.get(objectId);
    const manifest = bytes === undefined ? undefined : rules.readManifest(fileName(path), bytes);
    if (manifest !== undefined && rules.isOf(target, manifest)) return { path: folderOf(path), manifest };
  }
  // Some packages have no manifest: then they are the whole repository.
  return manifests.length === 0 && only === undefined && rules.isOf(target, {}) ? { path: claimed ?? '', manifest: {} } : undefined;
}

/** The folder that is claimed, then the root, then folders of the package's name; what lies deeper is less likely. */
function likelihood(path: string, { claimed, name, rules }: DirectoryWish): number {
  const folder = folderOf(path);
  const depth = folder === '' ? 0 : folder.split('/').length;
  const place = folder === claimed ? 3 : folder === '' ? 2 : fileName(folder) === name ? 1 : 0;
  return place * 1000 - depth * 10 - rules.manifests.indexOf(fileName(path));
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
