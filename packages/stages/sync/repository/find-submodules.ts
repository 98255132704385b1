import { type LocalRepository, RepositoryError } from '@granary/contract/ports';
import type { NotCovered, Submodule } from '@granary/contract/repository';
import { declaredSubmodules, submoduleRepository } from '@granary/core/git';
import type { Purl } from '@granary/core/model';

const FILE = '.gitmodules';
/** Tips that are asked for one, `HEAD` first. */
const MAX_TIPS = 10_000;
/** Different ones that are read: of each, the whole tree of a commit is read too. */
const MAX_FILES = 32;
const FILE_LIMITS = { maxBytes: 256 * 1024, maxEntries: 10_000 };
const TREE_LIMITS = { maxEntries: 500_000 };
/** They are kept for people to read. */
const MAX_NOT_COVERED = 100;
const MAX_SHOWN_CHARS = 200;

export interface FoundSubmodules {
  readonly submodules: readonly Submodule[];
  readonly notCovered: readonly NotCovered[];
}
type Local = Pick<LocalRepository, 'objectsAt' | 'configuration' | 'tree'>;

/** Submodules that stand in the tree of `head` or of the other tips, those of `head` first; what isn't covered is said of `head` alone. */
export async function findSubmodules(
  local: Local,
  { repository, head, tips }: { readonly repository: Purl; readonly head: string | undefined; readonly tips: readonly string[] },
): Promise<FoundSubmodules> {
  const commits = [...new Set([...(head === undefined ? [] : [head]), ...tips])].slice(0, MAX_TIPS);
  const files = await local.objectsAt(commits.map((commit) => ({ commit, path: FILE })));
  const placeOf = new Map<string, string>();
  for (const [at, file] of files.entries()) {
    const commit = commits[at];
    if (file !== undefined && commit !== undefined && !placeOf.has(file)) placeOf.set(file, commit);
  }
  const found: FoundSubmodules[] = [];
  for (const [file, commit] of [...placeOf].slice(0, MAX_FILES)) {
    const one = await readOne(local, { repository, file, commit });
    found.push(commit === head ? one : { ...one, notCovered: [] });
  }
  return { submodules: found.flatMap(({ submodules }) => submodules), notCovered: found.flatMap(({ notCovered }) => notCovered) };
}

async function readOne(
  local: Local,
  { repository, file, commit }: { readonly repository: Purl; readonly file: string; readonly commit: string },
): Promise<FoundSubmodules> {
  try {
    const declared = declaredSubmodules(await local.configuration(file, FILE_LIMITS));
    const tree = declared.length === 0 ? [] : await local.tree(commit, TREE_LIMITS);
    const standing = new Set(tree.flatMap(({ path, type }) => (type === 'submodule' ? [path] : [])));
    const submodules: Submodule[] = [];
    const notCovered: NotCovered[] = [];
    for (const { path, url } of declared.filter((one) => standing.has(one.path))) {
      const named = submoduleRepository(repository, url);
      if (named === undefined) notCovered.push({ path: shown(path), why: 'address', url: shown(url) });
      else if (named !== repository) submodules.push({ path, repository: named });
    }
    const tooMany: readonly NotCovered[] = notCovered.length > MAX_NOT_COVERED ? [{ path: FILE, why: 'too-many' }] : [];
    return { submodules, notCovered: [...notCovered.slice(0, MAX_NOT_COVERED), ...tooMany] };
  } catch (error) {
    // The rest of the repository is none the worse for it.
    if (!(error instanceof RepositoryError) || error.code === 'unavailable') throw error;
    return { submodules: [], notCovered: [{ path: FILE, why: 'unreadable' }] };
  }
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARS).toWellFormed();
}
