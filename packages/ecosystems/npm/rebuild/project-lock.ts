import { EcosystemError, type LockedPin } from '@granary/contract/ecosystem';
import { npmDemand } from '../demand.ts';
import { isVersion } from '../names.ts';
import type { Manager } from './recipe.ts';
import { type SourceTree, within } from './source-tree.ts';

/** A lock of the project that a package belongs to, and who reads it. */
export interface ProjectLock {
  /** The folder it lies in. */
  readonly project: string;
  readonly fileName: string;
  readonly manager: Exclude<Manager, 'none' | 'npm-install'>;
  /** The package manager as a requirement; empty where the root filesystem's npm does. */
  readonly tool: string;
  /** Where that was read; empty where it is the root filesystem's. */
  readonly toolFrom: string;
  readonly pins: readonly LockedPin[];
  /** What it names and no registry has. */
  readonly notCovered: readonly string[];
}

const MAX_LOCK_BYTES = 32 * 2 ** 20;
/** In the order in which they are looked for: of npm's own two the first counts (npm docs, npm-shrinkwrap.json). */
const LOCKS = ['npm-shrinkwrap.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock'] as const;

/** The nearest lock at or above a folder: the manager's that the project names, where several lie there. Undefined where there is none that can be read. */
export function findLock(tree: SourceTree, directory: string): ProjectLock | undefined {
  for (const project of foldersUpFrom(directory)) {
    const there = LOCKS.filter((name) => tree.has(within(project, name)));
    const stated = packageManager(tree, project);
    const fileName = there.find((name) => stated !== undefined && commandOf(name) === stated.command) ?? there[0];
    if (fileName !== undefined) return readLock(tree, { project, fileName, stated });
  }
  return undefined;
}

function foldersUpFrom(directory: string): readonly string[] {
  const parts = directory === '' ? [] : directory.split('/');
  return [...parts.map((_, at) => parts.slice(0, parts.length - at).join('/')), ''];
}

interface StatedManager {
  readonly command: string;
  readonly version: string;
}
interface FoundLock {
  readonly project: string;
  readonly fileName: (typeof LOCKS)[number];
  readonly stated: StatedManager | undefined;
}

/** `packageManager` of a package.json (Node.js documentation, Corepack): `pnpm@9.1.0+sha512.…`. */
function packageManager(tree: SourceTree, project: string): StatedManager | undefined {
  const { packageManager: text } = tree.manifest(project);
  const [, command, version] = /^(npm|pnpm|yarn)@([^+\s]{1,100})(?:\+|$)/.exec(typeof text === 'string' ? text : '') ?? [];
  return command === undefined || version === undefined || !isVersion(version) ? undefined : { command, version };
}

function commandOf(fileName: (typeof LOCKS)[number]): string {
  switch (fileName) {
    case 'npm-shrinkwrap.json':
    case 'package-lock.json':
      return 'npm';
    case 'pnpm-lock.yaml':
      return 'pnpm';
    case 'yarn.lock':
      return 'yarn';
  }
}

function readLock(tree: SourceTree, { project, fileName, stated }: FoundLock): ProjectLock | undefined {
  const text = tree.text(within(project, fileName), MAX_LOCK_BYTES);
  if (text === undefined) return undefined;
  const named = stated?.command === commandOf(fileName) ? stated.version : undefined;
  const used = managerOf(fileName, text, { tree, project, named });
  try {
    const wish = npmDemand.wishOfLockfile(fileName, new TextEncoder().encode(text));
    return wish.type === 'pins' ? { project, fileName, ...used, pins: wish.pins, notCovered: wish.notCovered ?? [] } : undefined;
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

interface Place {
  readonly tree: SourceTree;
  readonly project: string;
  /** The version that package.json names. */
  readonly named: string | undefined;
}
type UsedManager = Pick<ProjectLock, 'manager' | 'tool' | 'toolFrom'>;

const NAMED = 'packageManager in package.json';

function managerOf(fileName: (typeof LOCKS)[number], text: string, { tree, project, named }: Place): UsedManager {
  switch (fileName) {
    case 'npm-shrinkwrap.json':
    case 'package-lock.json':
      return { manager: 'npm', tool: named === undefined ? '' : `npm@${named}`, toolFrom: named === undefined ? '' : NAMED };
    case 'pnpm-lock.yaml':
      return named === undefined ? pnpmOfLock(text) : { manager: 'pnpm', tool: `pnpm@${named}`, toolFrom: NAMED };
    case 'yarn.lock':
      return yarnOf(text, tree.text(within(project, '.yarnrc.yml'), MAX_LOCK_BYTES), named);
  }
}

/** The newest line that writes such a lock. */
function pnpmOfLock(text: string): UsedManager {
  const [, format = ''] = /^lockfileVersion: ['"]?(\d+(?:\.\d+)?)/m.exec(text) ?? [];
  const line = Number.parseFloat(format);
  const major = line >= 9 ? '9 || ^10' : line >= 6 ? '8' : line >= 5.4 ? '7' : '6';
  return { manager: 'pnpm', tool: `pnpm@^${major}`, toolFrom: `lockfileVersion ${format} of pnpm-lock.yaml` };
}

/** yarn 2 and later write `__metadata`, and lie in the repository themselves, under their version (yarn docs, yarnPath). */
function yarnOf(text: string, settings: string | undefined, named: string | undefined): UsedManager {
  const isClassic = !/^__metadata:/m.test(text);
  if (isClassic) {
    const version = named?.startsWith('1.') === true ? named : undefined;
    return { manager: 'yarn-1', tool: `yarn@${version ?? '^1.22'}`, toolFrom: version === undefined ? 'form of yarn.lock' : NAMED };
  }
  if (named !== undefined) return { manager: 'yarn', tool: `@yarnpkg/cli-dist@${named}`, toolFrom: NAMED };
  const [, kept = ''] = /^yarnPath: .*yarn-(\d[^/\s"']{0,60})\.c?js/m.exec(settings ?? '') ?? [];
  if (isVersion(kept)) return { manager: 'yarn', tool: `@yarnpkg/cli-dist@${kept}`, toolFrom: 'yarnPath in .yarnrc.yml' };
  const [, format = '0'] = /^__metadata:\s+version: (\d+)/m.exec(text) ?? [];
  return { manager: 'yarn', tool: `@yarnpkg/cli-dist@${Number(format) >= 7 ? '^4' : '^3'}`, toolFrom: `version ${format} of yarn.lock` };
}
