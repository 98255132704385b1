import type { Parameter } from '@granary/contract/ecosystem';
import { type BackendPin, hooksFor, requirementName } from './backends.ts';
import type { Recipe } from './recipe.ts';
import { likelyEras } from './setuptools-eras.ts';
import type { SourceTree } from './source-tree.ts';
import type { WheelEvidence } from './wheel-evidence.ts';

/** Tools to build with. */
export interface Toolchain {
  readonly requirements: readonly string[];
  readonly parameters: readonly Parameter[];
}
/** How the tools are called. */
export interface FrontEnd {
  readonly kind: 'pep517' | 'setup.py';
  readonly setupArguments: readonly string[];
  readonly parameters: readonly Parameter[];
}

/** What may be varied, each list with the likeliest first. */
export interface Variants {
  readonly hooks: string;
  /** Whether the source's own build-system table applies. */
  readonly declared: boolean;
  readonly toolchain: readonly Toolchain[];
  readonly frontEnd: readonly FrontEnd[];
  readonly backendPath: readonly (readonly string[])[];
  /** Whether extension modules are built: a wheel without machine code can come from a project that has some. */
  readonly extensions: readonly boolean[];
  /** Tools of old wrote sets in the order of their hashes. */
  readonly hashSeed: readonly string[];
  /** Folders to put back into the source. */
  readonly emptyFolders: readonly (readonly string[])[];
  /** Front ends that make both build the wheel from the source archive, which may have fewer files. */
  readonly through: readonly Recipe['through'][];
  /** The setuptools of Debian and its descendants sorts requirements. */
  readonly sortedRequires: readonly boolean[];
}

/** Releases from this one on write their own name into Generator. */
const WITHOUT_WHEEL = 'setuptools>=70.1';
export const PEP517: FrontEnd = { kind: 'pep517', setupArguments: [], parameters: [] };

export function variantsOf(pin: BackendPin, wheel: WheelEvidence, tree: SourceTree, publishedOn: string): Variants {
  const { hooks, declared } = hooksFor(pin, tree);
  return {
    hooks,
    declared,
    toolchain: pin.family === 'setuptools' ? setuptoolsToolchains(pin, wheel, tree, publishedOn) : otherToolchains(pin),
    frontEnd: pin.family === 'setuptools' ? setuptoolsFrontEnds(declared, wheel, tree) : [PEP517],
    backendPath: declared ? backendPathsOf(pin, tree) : [[]],
    extensions: pin.family === 'setuptools' ? [true, false] : [true],
    sortedRequires: pin.family === 'setuptools' ? [false, true] : [false],
    emptyFolders: pin.family === 'setuptools' && tree.lostFolders.length > 0 ? [[], tree.lostFolders] : [[]],
    through: tree.kind === 'commit' ? ['tree', 'sdist'] : ['tree'],
    hashSeed: ['0', '1', '2', '3', '4', '5'],
  };
}

function setuptoolsToolchains(pin: BackendPin, wheel: WheelEvidence, tree: SourceTree, publishedOn: string): readonly Toolchain[] {
  const pinned = pinParameters(pin);
  if (pin.pins.some((line) => requirementName(line) === 'setuptools')) {
    return [
      { requirements: pin.pins, parameters: pinned },
      { requirements: [WITHOUT_WHEEL], parameters: [] },
    ];
  }
  const eras = likelyEras(wheel, tree, publishedOn).map((requirement) => ({
    requirements: [requirement, ...(pin.pins.length > 0 ? pin.pins : ['wheel'])],
    parameters: [...pinned, { name: 'setuptools', value: requirement.slice('setuptools'.length), from: 'form of METADATA and entry_points.txt' }],
  }));
  const [likeliest] = eras;
  const unpinned =
    likeliest === undefined || pin.pins.length === 0 ? [] : [{ ...likeliest, requirements: [...likeliest.requirements.slice(0, 1), ...pin.pins.map(nearest)] }];
  return [...eras, ...unpinned];
}

/** Should the very release not be available, the newest that the source allows. */
function otherToolchains(pin: BackendPin): readonly Toolchain[] {
  const named = pin.pins.map(requirementName);
  const exact = { requirements: pin.pins, parameters: pinParameters(pin) };
  return pin.pins.length === 0 ? [exact] : [exact, { requirements: named, parameters: [] }];
}

/** A release that upstream deleted is replaced by others of its series. */
function nearest(line: string): string {
  const [, name, major, minor] = /^([^=]+)==(\d+)\.(\d+)/.exec(line) ?? [];
  return name === undefined ? requirementName(line) : `${name}>=${major}.${minor},<${major}.${Number(minor) + 1}`;
}

function pinParameters({ pins }: BackendPin): readonly Parameter[] {
  return pins.flatMap((line) => {
    const [name = '', version] = line.split('==');
    return version === undefined ? [] : [{ name, value: version, from: 'WHEEL Generator' }];
  });
}

function setuptoolsFrontEnds(declared: boolean, wheel: WheelEvidence, tree: SourceTree): readonly FrontEnd[] {
  if (!tree.hasSetupPy) return [PEP517];
  const tag = tagArguments(wheel, tree);
  const setupPy: FrontEnd = {
    kind: 'setup.py',
    setupArguments: ['bdist_wheel', ...tag],
    parameters: tag.length === 0 ? [] : [{ name: 'bdist_wheel', value: tag.join(' '), from: 'tag in the file name' }],
  };
  return declared && tag.length === 0 ? [PEP517, setupPy] : [setupPy, PEP517];
}

/** A tag that a build for Python 3 doesn't give by itself, and that setup.cfg doesn't ask for, was asked for by the publisher. */
function tagArguments({ pythonTags }: WheelEvidence, { setsWheelTag }: SourceTree): readonly string[] {
  const tag = pythonTags.join('.');
  if (tag === 'py3' || setsWheelTag) return [];
  return tag === 'py2.py3' ? ['--universal'] : ['--python-tag', tag];
}

/** A backend that builds itself isn't the one that built the wheel when Generator names another version than its own. */
function backendPathsOf(pin: BackendPin, { buildSystem, name, version }: SourceTree): readonly (readonly string[])[] {
  const path = buildSystem?.backendPath ?? [];
  if (path.length === 0) return [[]];
  const own = pin.pins.find((line) => requirementName(line) === requirementName(name ?? ''));
  if (own === undefined) return [path];
  return own.split('==')[1] === version ? [path, []] : [[], path];
}
