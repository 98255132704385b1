import type { RebuildSource, RebuildSubject } from '@granary/contract/ecosystem';
import { storedArtifact } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { commitObject, treeArchive } from '@granary/contract/repository';
import { type LocatedBody, type PinnedArtifact, purlParts, sha256, toPurl } from '@granary/core/model';
import type { PlanPorts } from './rebuild-ports.ts';
import { storedBytes } from './stored-bytes.ts';

/** What a strategy is to rebuild, and the bytes that it may look into. */
export async function subjectOf(ports: PlanPorts, target: PinnedArtifact, located: NonNullable<LocatedBody['source']>): Promise<RebuildSubject> {
  const published = await storedBytes(ports.blobs, target.sha256);
  // Of a commit nothing runs before its files were looked at: what runs nothing needs no environment.
  return { target, published, ...(await sourceOf(ports, target, located)), runtimeVersion: '' };
}

async function sourceOf(
  ports: PlanPorts,
  target: PinnedArtifact,
  located: NonNullable<LocatedBody['source']>,
): Promise<Pick<RebuildSubject, 'source' | 'sourceBytes' | 'commitObject' | 'sourcePublishedAt'>> {
  if (located.kind === 'archive') {
    const stored = ports.catalog.current('stored', toPurl(located.purl));
    if (stored === undefined) throw new JobError('later', `plan ${target.purl}: its source ${located.purl} isn't stored yet`);
    const { purl, fileName, sha256: digest, publishedAt } = storedArtifact(stored);
    const source: RebuildSource = { kind: 'archive', tier: 'publisher-archive', purl, fileName, sha256: digest };
    return { source, sourceBytes: await storedBytes(ports.blobs, located.sha256), ...(publishedAt === undefined ? {} : { sourcePublishedAt: publishedAt }) };
  }
  const { repository, commit, directory, tier } = located;
  if (tier === 'publisher-archive') throw new JobError('never', `plan ${target.purl}: a commit is no publisher's archive`);
  const bytes = await treeArchive(ports, repository, commit);
  const fileName = `${purlParts(repository).name}-${commit.slice(0, 12)}.tar`;
  const source: RebuildSource = {
    kind: 'commit',
    tier,
    repository,
    commit,
    ...(directory === undefined ? {} : { directory }),
    fileName,
    sha256: sha256(bytes),
  };
  const object = await commitObject(ports, repository, commit);
  return { source, sourceBytes: bytes, ...(object === undefined ? {} : { commitObject: object }) };
}
