import { readTar, type TarArchive } from '@granary/core/archive';
import { requirementsOf } from './build-requirements.ts';
import { type CargoManifest, declaredDependencies, parseCargoManifest, registryNeeds } from './cargo-manifest.ts';
import { textAt } from './crate-evidence.ts';
import { matchesMember } from './member-pattern.ts';

/** What a commit's tree says of a package that is to be packed. */
export interface SourceProject {
  /** The folder of its workspace, or its own: there lies the lock. */
  readonly root: string;
  /** The Cargo.lock there. */
  readonly lock: string | undefined;
  /** What cargo looks up to pack the package alone. */
  readonly requirements: readonly string[];
  /** What it looks up beside that where a lock makes it look at the whole workspace. */
  readonly ofWorkspace: readonly string[];
}

/** Of a workspace, no more members are looked at. */
const MAX_MEMBERS = 1000;

/** Undefined where no manifest can be read in the folder. Throws ArchiveError on what is no tar. */
export function readSourceProject(sourceBytes: Uint8Array, directory: string): SourceProject | undefined {
  const tree = openTree(readTar(sourceBytes));
  const manifest = tree.manifestIn(directory);
  if (manifest === undefined) return undefined;
  const root = workspaceRootOf(tree, manifest, directory);
  const workspace = tree.manifestIn(root);
  const requirements = requirementsOf(registryNeeds(manifest, workspace, 'registry'));
  const ofWorkspace = membersOf(tree, root).flatMap((folder) => {
    const member = tree.manifestIn(folder);
    return member === undefined ? [] : requirementsOf(registryNeeds(member, workspace, 'local'));
  });
  return { root, lock: tree.text(inside(root, 'Cargo.lock')), requirements, ofWorkspace: [...new Set(ofWorkspace)].sort() };
}

interface Tree {
  text(path: string): string | undefined;
  manifestIn(folder: string): CargoManifest | undefined;
  /** Folders that have a manifest. */
  readonly folders: readonly string[];
}

function openTree(archive: TarArchive): Tree {
  const read = new Map<string, CargoManifest | undefined>();
  const folders = archive.entries
    .filter(({ type, path }) => type === 'file' && /(?:^|\/)Cargo\.toml$/.test(path))
    .map(({ path }) => path.slice(0, -'/Cargo.toml'.length));
  return {
    folders,
    text: (path) => textAt(archive, path),
    manifestIn(folder) {
      if (read.has(folder)) return read.get(folder);
      const text = textAt(archive, inside(folder, 'Cargo.toml'));
      const manifest = text === undefined ? undefined : parseCargoManifest(text);
      read.set(folder, manifest);
      return manifest;
    },
  };
}

/** As cargo looks for it: where the package says, else in the folder itself and those above (the Cargo book, workspaces). */
function workspaceRootOf(tree: Tree, manifest: CargoManifest, directory: string): string {
  const said = manifest.package?.workspace === undefined ? undefined : joined(directory, manifest.package.workspace);
  if (said !== undefined) return said;
  for (let folder: string | undefined = directory; folder !== undefined; folder = folderAbove(folder)) {
    const root = tree.manifestIn(folder)?.workspace;
    if (root === undefined) continue;
    const below = folder === '' ? directory : directory.slice(folder.length + 1);
    if (folder === directory || !root.exclude.some((path) => below === path || below.startsWith(`${path}/`))) return folder;
  }
  return directory;
}

/** The root's own package, what `members` says, and what those name by path. */
function membersOf(tree: Tree, root: string): readonly string[] {
  const rootManifest = tree.manifestIn(root);
  const patterns = rootManifest?.workspace?.members ?? [];
  const below = (folder: string) => (root === '' ? folder : folder.startsWith(`${root}/`) ? folder.slice(root.length + 1) : undefined);
  const named = tree.folders.filter((folder) => {
    const path = below(folder);
    return folder === root || (path !== undefined && patterns.some((pattern) => matchesMember(pattern, path)));
  });
  const members = new Set<string>();
  const open = [root, ...named];
  for (let folder = open.pop(); folder !== undefined && members.size < MAX_MEMBERS; folder = open.pop()) {
    const manifest = members.has(folder) ? undefined : tree.manifestIn(folder);
    if (manifest === undefined) continue;
    members.add(folder);
    for (const { declared } of declaredDependencies(manifest, undefined)) {
      const path = declared.path === undefined ? undefined : joined(folder, declared.path);
      if (path !== undefined) open.push(path);
    }
  }
  return [...members];
}

function folderAbove(folder: string): string | undefined {
  if (folder === '') return undefined;
  return folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '';
}

/** Undefined for what leads out of the tree. */
function joined(folder: string, path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

function inside(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`;
}
