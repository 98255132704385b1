import type { MetadataJob } from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { LEGACY_HOOKS, readBackend } from './backends.ts';
import { METADATA_FILE } from './build-script.ts';
import { compileRecipe } from './compile.ts';
import type { Recipe } from './recipe.ts';
import { readSdistEvidence, type SdistEvidence } from './sdist-evidence.ts';

const LEGACY_REQUIREMENTS = ['setuptools', 'wheel'];

/** Core metadata of a source archive: what `prepare_metadata_for_build_wheel` says, as installers ask it (PEP 517). */
export const sdistMetadata: MetadataJob = {
  async requirements(source, sourceBytes, asked) {
    const sdist = await readable(source, sourceBytes);
    return [...new Set([...(sdist?.buildSystem?.requires ?? LEGACY_REQUIREMENTS), ...asked])];
  },
  async compile(source, sourceBytes, closure, asked) {
    const sdist = await readable(source, sourceBytes);
    const pin = sdist === undefined ? undefined : readBackend(undefined, sdist);
    const recipe: Recipe = {
      ...PLAIN,
      asked,
      root: sdist?.root ?? '',
      backend: sdist?.buildSystem?.backend ?? (typeof pin === 'object' ? pin.hooks : LEGACY_HOOKS),
      backendPath: sdist?.buildSystem?.backendPath ?? [],
    };
    return compileRecipe({ produce: 'metadata', source, closure }, recipe);
  },
  read: (outputs) => outputs.find(({ path }) => path === METADATA_FILE)?.bytes,
};

/** An archive that we refuse to read is left to the sandbox to fail on, so that there is one way to say so. */
async function readable(source: Artifact, sourceBytes: Uint8Array): Promise<SdistEvidence | undefined> {
  try {
    return await readSdistEvidence(source.fileName, sourceBytes);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

const PLAIN: Omit<Recipe, 'asked' | 'root' | 'backend' | 'backendPath'> = {
  choice: { toolchain: 0, frontEnd: 0, backendPath: 0, extensions: 0, sortedRequires: 0, hashSeed: 0, emptyFolders: 0 },
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
};
