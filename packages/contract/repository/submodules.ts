import { isRepositoryPurl } from '@granary/core/git';
import { ObservedBody, type Purl } from '@granary/core/model';
import type { Catalog } from '../ports/index.ts';

/** Submodules of submodules of submodules. */
const MAX_DEPTH = 3;
/** For one repository, at all depths together: whoever writes to it names them. */
const MAX_REPOSITORIES = 100;

/**
 * The repositories of all submodules that a repository leads to, nearest first, each once and without itself, as far as they are on record: of one that was
 * never seen nobody knows what it names.
 */
export function submodulesOf(catalog: Pick<Catalog, 'current'>, repository: Purl): readonly Purl[] {
  const found = new Set<Purl>([repository]);
  let level: readonly Purl[] = [repository];
  for (let depth = 1; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const next: Purl[] = [];
    for (const named of level.flatMap((one) => namedBy(catalog, one))) {
      if (found.size > MAX_REPOSITORIES) break;
      if (found.has(named)) continue;
      found.add(named);
      next.push(named);
    }
    level = next;
  }
  return [...found].slice(1);
}

/** Entries may come from other sites. */
function namedBy(catalog: Pick<Catalog, 'current'>, repository: Purl): readonly Purl[] {
  const fact = catalog.current('observed', repository);
  const { outside } = fact === undefined ? {} : ObservedBody.parse(fact.entry.body);
  return (outside?.submodules ?? []).filter(isRepositoryPurl);
}
