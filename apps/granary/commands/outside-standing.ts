import type { Catalog } from '@granary/contract/ports';
import { submodulesOf } from '@granary/contract/repository';
import { ObservedBody, type Purl } from '@granary/core/model';

/** How far what lies outside a repository's packs is held. */
export interface OutsideStanding {
  /** Of submodules, and of their submodules, nearest first. */
  readonly submodules: readonly { readonly repository: Purl; readonly held: boolean }[];
  /** What can't be followed, in sentences. */
  readonly notCovered: readonly string[];
  readonly largeFiles: { readonly files: number; readonly bytes: number; readonly missing: Readonly<Record<string, number>> };
}

/** By the reason in the fact. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['absent', 'not there upstream'],
  ['no-server', 'upstream answers nobody who asks for large files'],
  ['refused', 'refused by upstream, or at an address that is not asked'],
  ['unreadable', 'what upstream answers can not be read'],
  ['wrong-bytes', 'other bytes than those of its digest'],
  ['unreachable', 'upstream did not answer'],
  ['not-asked', 'not asked for yet'],
  ['too-large', 'larger than repositories.lfs.maxObjectBytes'],
  ['no-room', 'beyond repositories.lfs.maxTotalBytes'],
]);

export function outsideStanding(catalog: Pick<Catalog, 'current'>, repository: Purl): OutsideStanding {
  const fact = catalog.current('observed', repository);
  const { leftOut = 0, notCovered = 0, largeFiles } = (fact === undefined ? undefined : ObservedBody.parse(fact.entry.body).outside) ?? {};
  const { files = 0, bytes = 0, missing = {} } = largeFiles ?? {};
  return {
    submodules: submodulesOf(catalog, repository).map((named) => ({ repository: named, held: catalog.current('observed', named) !== undefined })),
    notCovered: [
      ...(leftOut === 0 ? [] : [`${repository}: ${leftOut} more submodules than are followed`]),
      ...(notCovered === 0
        ? []
        : [`${repository}: ${notCovered} things that its trees name can not be followed, such as submodules at addresses of no repository`]),
    ],
    largeFiles: { files, bytes, missing },
  };
}

/** One line where some aren't held, with the reasons. */
export function missingLargeFiles(repository: Purl, { files, missing }: OutsideStanding['largeFiles']): readonly string[] {
  const reasons = Object.entries(missing).map(([reason, count]) => `${count} ${REASONS.get(reason) ?? 'for a reason that this version does not know'}`);
  const total = Object.values(missing).reduce((sum, count) => sum + count, 0);
  return total === 0 ? [] : [`${repository}: ${total} of ${files} large files are not held: ${reasons.join(', ')}`];
}
