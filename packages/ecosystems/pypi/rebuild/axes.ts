import type { Attempt } from '@granary/contract/ecosystem';
import type { Difference } from '@granary/core/compare';
import type { Choice, Produced } from './recipe.ts';
import type { SourceTree } from './source-tree.ts';

/** One of the things that can be varied. */
export type Axis = keyof Choice;

/** A compiler that isn't there is needed by extension modules, which the published wheel has none of. */
export function axesAfterFailure(history: readonly Attempt[]): readonly Axis[] {
  const compiles = history.some(({ outcome }) => outcome.type === 'failed' && outcome.failureClass === 'toolchain-missing');
  return compiles ? ['extensions', 'frontEnd', 'toolchain', 'backendPath'] : ['frontEnd', 'toolchain', 'extensions', 'backendPath', 'through'];
}

/** Which changes can bear on what differs. */
export function axesFor(produce: Produced, residue: readonly Difference[], tree: SourceTree): readonly Axis[] {
  const within = residue.filter((difference) => !isBeyondSource(difference, WRITTEN[produce], tree));
  return produce === 'wheel' ? wheelAxes(within) : sdistAxes(within);
}

function wheelAxes(residue: readonly Difference[]): readonly Axis[] {
  if (residue.length === 0) return [];
  if (residue.some(({ path }) => /\.(so|pyd)$/.test(path))) return ['extensions'];
  if (residue.some(({ path }) => /\.dist-info\/WHEEL$/.test(path))) return ['frontEnd', 'extensions', 'toolchain', 'backendPath'];
  if (residue.some(({ path }) => /\.dist-info\/top_level\.txt$/.test(path)))
    return ['emptyFolders', ...wheelAxes(residue.filter(({ path }) => !path.endsWith('/top_level.txt')))];
  const distInfo = residue.filter(({ path }) => /\.dist-info\/(?!RECORD$|top_level\.txt$)/.test(path));
  if (distInfo.some(isReordered)) return ['sortedRequires', 'hashSeed', 'toolchain', 'frontEnd', 'backendPath'];
  if (distInfo.length > 0) return ['toolchain', 'frontEnd', 'backendPath', 'through'];
  // Tools decide which files are taken along, but not what stands in the project's own.
  const filesDiffer = residue.some(({ kind }) => kind === 'only-upstream' || kind === 'only-rebuild');
  return filesDiffer ? ['through', 'frontEnd', 'backendPath', 'toolchain'] : ['frontEnd', 'backendPath', 'through'];
}

function sdistAxes(residue: readonly Difference[]): readonly Axis[] {
  if (residue.length === 0) return [];
  const written = residue.filter(({ path }) => WRITTEN.sdist.test(path));
  if (written.some(isReordered)) return ['sortedRequires', 'hashSeed', 'toolchain', 'frontEnd', 'backendPath'];
  return written.length > 0 ? ['toolchain', 'frontEnd', 'backendPath'] : ['frontEnd', 'toolchain', 'backendPath'];
}

/** What backends write of themselves, as against licence files, which they take from the source. */
const WRITTEN: Readonly<Record<Produced, RegExp>> = {
  wheel: /\.dist-info\/(?!(?:licenses\/)?(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS))|\.pth$/i,
  sdist: /^[^/]+\/(?:PKG-INFO|setup\.cfg|setup\.py)$|\.egg-info\//,
};

/** A file that upstream took from elsewhere: no way to build brings it about. */
function isBeyondSource({ kind, path }: Difference, written: RegExp, { files }: SourceTree): boolean {
  if (kind !== 'only-upstream' || written.test(path)) return false;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return !files.some((file) => file.path === name || file.path.endsWith(`/${name}`));
}

/** The same characters in another order: a set was written in the order of its hashes. */
function isReordered({ diff }: Difference): boolean {
  if (diff === undefined) return false;
  const lines = diff.split('\n').filter((line) => !/^(---|\+\+\+) /.test(line));
  const characters = (sign: string) =>
    [
      ...lines
        .filter((line) => line.startsWith(sign))
        .map((line) => line.slice(1))
        .join(''),
    ]
      .toSorted()
      .join('');
  return characters('-') !== '' && characters('-') === characters('+');
}
