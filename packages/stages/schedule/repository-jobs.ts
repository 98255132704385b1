import { namedRepositories, type WrittenDefinitions } from '@granary/contract/ecosystem';
import type { Catalog, Job } from '@granary/contract/ports';
import { submodulesOf } from '@granary/contract/repository';
import { type Artifact, type Purl, StoredBody } from '@granary/core/model';

/** Which repositories are mirrored: those that are watched themselves, or those too that packages name which are held for somebody. */
export type MirroredRepositories = 'watched' | 'named-by-packages';

export interface NamedRepositories {
  readonly watched: ReadonlySet<Purl>;
  readonly artifacts: Iterable<Pick<Artifact, 'purl'>>;
  readonly written?: WrittenDefinitions | undefined;
}

/** One for each repository that was never seen; once it was, whoever follows upstream looks again. What only packages or submodules name holds up nothing. */
export function repositoryJobs(
  catalog: Pick<Catalog, 'current'>,
  which: MirroredRepositories,
  { watched, artifacts, written }: NamedRepositories,
): readonly Job[] {
  const all = [...artifacts];
  // An operator who states a repository wants it looked into, whatever packages may name.
  const stated = all.flatMap((artifact) => written?.of(artifact)?.definition.repository ?? []);
  const named = [...stated, ...(which === 'watched' ? [] : all.flatMap((artifact) => namedBy(catalog, artifact)))];
  const found = new Map<Purl, Job['urgency']>(named.map((repository) => [repository, 'whenever']));
  for (const repository of [...watched, ...named]) for (const submodule of submodulesOf(catalog, repository)) found.set(submodule, 'whenever');
  for (const repository of watched) found.set(repository, undefined);
  return [...found].flatMap(([repository, urgency]): readonly Job[] => {
    if (catalog.current('observed', repository) !== undefined) return [];
    const job = { id: `mirror ${repository}`, stage: 'sync', label: repository, payload: { type: 'mirror', repository } } as const;
    return [urgency === undefined ? job : { ...job, urgency }];
  });
}

function namedBy(catalog: Pick<Catalog, 'current'>, { purl }: Pick<Artifact, 'purl'>): readonly Purl[] {
  const stored = catalog.current('stored', purl);
  return stored === undefined ? [] : namedRepositories(StoredBody.parse(stored.entry.body));
}
