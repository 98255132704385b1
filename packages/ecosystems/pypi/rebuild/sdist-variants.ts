import { type BackendPin, hooksFor } from './backends.ts';
import type { SdistEvidence } from './sdist-evidence.ts';
import { likelyEras } from './setuptools-eras.ts';
import type { SourceTree } from './source-tree.ts';
import { type FrontEnd, PEP517, type Toolchain, type Variants } from './variants.ts';

export interface SdistWish {
  readonly fileName: string;
  readonly pin: BackendPin;
  readonly sdist: SdistEvidence;
  /** What was published later can't have been used. */
  readonly publishedOn: string;
}

/** How a source archive may have been made. No file of it names the tool, so that the newest that the project allows comes first: front ends build with that. */
export function sdistVariantsOf({ fileName, pin, sdist, publishedOn }: SdistWish, tree: SourceTree): Variants {
  const { hooks, declared } = hooksFor(pin, tree);
  const isSetuptools = pin.family === 'setuptools';
  return {
    hooks,
    declared,
    toolchain: isSetuptools ? setuptoolsToolchains({ sdist, publishedOn }, tree, declared) : [{ requirements: pin.pins, parameters: [] }],
    frontEnd: frontEnds({ fileName, isSetuptools, declared }, tree),
    backendPath: [declared ? (tree.buildSystem?.backendPath ?? []) : []],
    extensions: [true],
    sortedRequires: isSetuptools ? [false, true] : [false],
    emptyFolders: [[]],
    through: ['tree'],
    hashSeed: ['0', '1', '2', '3', '4', '5'],
  };
}

function setuptoolsToolchains({ sdist, publishedOn }: Pick<SdistWish, 'sdist' | 'publishedOn'>, tree: SourceTree, declared: boolean): readonly Toolchain[] {
  const wheel = declared ? [] : ['wheel'];
  const eras = likelyEras(sdist, tree, publishedOn).map((requirement) => ({
    requirements: [requirement, ...wheel],
    parameters: [{ name: 'setuptools', value: requirement.slice('setuptools'.length), from: 'form of PKG-INFO' }],
  }));
  return [{ requirements: declared ? [] : ['setuptools', ...wheel], parameters: [] }, ...eras];
}

/** PEP 517 knows gzipped tars only. */
function frontEnds(
  { fileName, isSetuptools, declared }: { readonly fileName: string; readonly isSetuptools: boolean; readonly declared: boolean },
  { hasSetupPy }: SourceTree,
): readonly FrontEnd[] {
  const isZip = fileName.endsWith('.zip');
  const format = isZip ? 'zip' : 'gztar';
  const setupPy: readonly FrontEnd[] =
    isSetuptools && hasSetupPy ? [{ kind: 'setup.py', setupArguments: ['sdist', `--formats=${format}`], parameters: [] }] : [];
  if (isZip) return setupPy;
  return declared ? [PEP517, ...setupPy] : [...setupPy, PEP517];
}
