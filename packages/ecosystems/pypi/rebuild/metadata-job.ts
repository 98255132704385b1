import type { MetadataJob } from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { LEGACY_HOOKS, readBackend } from './backends.ts';
import { METADATA_FILE } from './build-script.ts';
import { compileRecipe } from './compile.ts';
import type { Recipe } from './recipe.ts';
import { readSourceTree, type SourceTree } from './source-tree.ts';

const LEGACY_REQUIREMENTS = ['setuptools', 'wheel'];

/** Core metadata of a source archive: what `prepare_metadata_for_build_wheel` says, as installers ask it (PEP 517). */
export const sdistMetadata: MetadataJob = {
  async requirements(source, sourceBytes, asked) {
    const tree = await readable(source, sourceBytes);
    return [...new Set([...(tree?.buildSystem?.requires ?? LEGACY_REQUIREMENTS), ...asked])];
  },
  async compile(source, sourceBytes, closure, asked) {
    const tree = await readable(source, sourceBytes);
    const pin = tree === undefined ? undefined : readBackend(undefined, tree);
    const recipe: Recipe = {
      ...PLAIN,
      asked,
      root: tree?.root ?? '',
      backend: tree?.buildSystem?.backend ?? (typeof pin === 'object' ? pin.hooks : LEGACY_HOOKS),
      backendPath: tree?.buildSystem?.backendPath ?? [],
    };
    return compileRecipe({ produce: 'metadata', source: { kind: 'archive', fileName: source.fileName }, closure }, recipe);
  },
  read: (outputs) => outputs.find(({ path }) => path === METADATA_FILE)?.bytes,
};

/** An archive that we refuse to read is left to the sandbox to fail on, so that there is one way to say so. */
async function readable(source: Artifact, sourceBytes: Uint8Array): Promise<SourceTree | undefined> {
  try {
    return await readSourceTree({ kind: 'archive', fileName: source.fileName }, sourceBytes);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

const PLAIN: Omit<Recipe, 'asked' | 'root' | 'backend' | 'backendPath'> = {
  choice: { toolchain: 0, frontEnd: 0, backendPath: 0, extensions: 0, sortedRequires: 0, hashSeed: 0, emptyFolders: 0, through: 0 },
  frontEnd: 'pep517',
  setupArguments: [],
  umask: '022',
  timeZone: 'UTC',
  hashSeed: '0',
  epoch: '',
  clock: '',
  windows: false,
  extensions: true,
  sortedRequires: false,
  restoreNames: true,
  pretendVersion: '',
  emptyFolders: [],
  through: 'tree',
};
