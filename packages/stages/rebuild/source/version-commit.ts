import type { LocalRepository } from '@granary/contract/ports';
import { type Candidate, type Examined, examine, type Release } from './candidate.ts';

/** What the commit that the version itself names came to; one that isn't in the repository is `absent`, under as much of its id as is known. */
export async function byVersion(local: LocalRepository, release: Release): Promise<readonly Examined[]> {
  const named = release.rules.commitNamed?.(release.target);
  if (named === undefined) return [];
  const commits = (await local.commitsNamed(named.idPrefix)).filter(({ committedAt }) => committedAt === named.committedAt);
  const candidates = commits.map(({ objectId }): Candidate => ({ commit: objectId, evidence: 'embedded' }));
  if (candidates.length === 0) return [{ commit: named.idPrefix, evidence: 'embedded', standing: 'absent', directory: '', score: 0, lacking: [] }];
  return await Promise.all(candidates.map((candidate) => examine(local, release, candidate)));
}
