import type { BlobStore, LocalRepository } from '@granary/contract/ports';
import { type KnownRefs, NOTHING_OUTSIDE, type NotCovered, type Outside, readOutside, type Submodule } from '@granary/contract/repository';
import type { RefState } from '@granary/core/git';
import type { LargeFile } from '@granary/core/lfs';
import { ObservedBody, type Purl } from '@granary/core/model';
import { findLargeFiles } from './find-large-files.ts';
import { findSubmodules } from './find-submodules.ts';

/** Of what was ever seen of one repository. */
const MAX_LARGE_FILES = 100_000;
const MAX_SUBMODULES = 2000;
/** What is said of the whole repository. */
const EVERYWHERE = '/';

export interface Searched {
  readonly repository: Purl;
  readonly local: LocalRepository;
  /** What was known before, and what is now. */
  readonly known: KnownRefs | undefined;
  readonly state: RefState;
}
/** What the fact says; undefined where nobody looked yet. */
export function outsideOf(known: KnownRefs | undefined): ObservedBody['outside'] {
  return known === undefined ? undefined : ObservedBody.parse(known.fact.entry.body).outside;
}

/** What was on record as outside, and what the trees of tips add that are new. Throws RepositoryError `unavailable`, StoreError. */
export async function findOutside({ blobs }: { readonly blobs: Pick<BlobStore, 'read'> }, { repository, local, known, state }: Searched): Promise<Outside> {
  const body = outsideOf(known);
  const before = body?.document === undefined ? NOTHING_OUTSIDE : await readOutside(blobs, body.document);
  const searched: ReadonlySet<string> = new Set(body === undefined ? [] : known?.state.refs.values());
  const tips = [...new Set(state.refs.values())].filter((tip) => !searched.has(tip));
  const head = state.refs.get('HEAD') ?? state.refs.get(state.head ?? '');
  const modules = await findSubmodules(local, { repository, head, tips });
  // One more tells that there are too many.
  const largeFiles = await findLargeFiles(local, tips, MAX_LARGE_FILES + 1);
  const files = unique([...before.largeFiles, ...(largeFiles === 'unreadable' ? [] : largeFiles)], ({ oid, sizeBytes }) => `${oid} ${sizeBytes}`);
  const submodules = unique([...modules.submodules, ...before.submodules], ({ path, repository: named }) => `${named} ${path}`);
  const limits = limitsMet({ files, submodules, isUnreadable: largeFiles === 'unreadable' });
  return {
    submodules: submodules.slice(0, MAX_SUBMODULES),
    notCovered: [...modules.notCovered, ...limits],
    largeFiles: files.slice(0, MAX_LARGE_FILES),
  };
}

function limitsMet(found: {
  readonly files: readonly LargeFile[];
  readonly submodules: readonly Submodule[];
  readonly isUnreadable: boolean;
}): readonly NotCovered[] {
  const isTooMany = found.files.length > MAX_LARGE_FILES || found.submodules.length > MAX_SUBMODULES;
  return [
    ...(found.isUnreadable ? [{ path: EVERYWHERE, why: 'unreadable' } as const] : []),
    ...(isTooMany ? [{ path: EVERYWHERE, why: 'too-many' } as const] : []),
  ];
}

function unique<T>(values: readonly T[], keyOf: (value: T) => string): readonly T[] {
  const byKey = new Map<string, T>();
  for (const value of values) if (!byKey.has(keyOf(value))) byKey.set(keyOf(value), value);
  return [...byKey.values()];
}
