import type { DatedCommit, LocalRepository } from '@granary/contract/ports';
import { purlParts } from '@granary/core/model';
import type { Candidate, Examined, Release } from './candidate.ts';
import { fileName } from './package-directory.ts';

export interface Neighbourhood {
  /** Whose histories are looked through: the refs', and those that candidates name. */
  readonly tips: readonly string[];
  /** Milliseconds since 1970, about when the release was made. */
  readonly around: number;
  /** The best candidate so far. */
  readonly best: Examined | undefined;
}

const MAX_HISTORY = 5000;
const MAX_LOOKED_AT = 200;
const MAX_FOUND = 3;
const MAX_MANIFEST_BYTES = 2 ** 20;

/** Commits near in time that have what the best candidate lacks: most of it first. */
export async function byContent(local: LocalRepository, release: Release, { tips, around, best }: Neighbourhood): Promise<readonly Candidate[]> {
  const { target, rules, files } = release;
  const directory = best?.directory ?? release.claimedDirectory ?? '';
  const wanted = (best === undefined ? files.slice(0, 40) : best.lacking).flatMap((file) => {
    const path = rules.placesOf(target, file.path, directory)[0];
    return path === undefined ? [] : [{ path, blobId: file.blobId }];
  });
  if (wanted.length === 0) return [];
  const commits = nearest(await local.commitsTouching(tips, directory, MAX_HISTORY), around).filter(({ objectId }) => objectId !== best?.commit);
  const answers = await local.objectsAt(commits.flatMap(({ objectId }) => wanted.map(({ path }) => ({ commit: objectId, path }))));
  return commits
    .map(({ objectId }, at) => ({ objectId, has: wanted.filter(({ blobId }, number) => answers[at * wanted.length + number] === blobId).length }))
    .filter(({ has }) => has > 0)
    .toSorted((one, other) => other.has - one.has)
    .slice(0, MAX_FOUND)
    .map(({ objectId }): Candidate => ({ commit: objectId, evidence: 'content' }));
}

/** Commits in which the package's manifest came to the version: where nobody says which commit it is. */
export async function byHistory(local: LocalRepository, release: Release, { tips, around }: Omit<Neighbourhood, 'best'>): Promise<readonly Candidate[]> {
  const { target, rules, claimedDirectory } = release;
  const folders = [...new Set([claimedDirectory ?? '', '', `packages/${purlParts(target.purl).name}`])];
  const found: Candidate[] = [];
  for (const path of folders.flatMap((folder) => rules.manifests.map((manifest) => (folder === '' ? manifest : `${folder}/${manifest}`)))) {
    const commits = nearest(await local.commitsTouching(tips, path, MAX_HISTORY), around);
    if (commits.length === 0) continue;
    const ids = await local.objectsAt(commits.map(({ objectId }) => ({ commit: objectId, path })));
    const read = await local.blobs([...new Set(ids.filter((id) => id !== undefined))], { maxBytes: MAX_MANIFEST_BYTES });
    commits.forEach(({ objectId }, at) => {
      const bytes = read.get(ids[at] ?? '');
      const manifest = bytes === undefined ? undefined : rules.readManifest(fileName(path), bytes);
      const isReleased = manifest?.version !== undefined && rules.isOf(target, manifest) && rules.versions(target).includes(manifest.version);
      if (isReleased) found.push({ commit: objectId, evidence: 'history' });
    });
    if (found.length > 0) break;
  }
  return found.slice(0, MAX_FOUND);
}

function nearest(commits: readonly DatedCommit[], around: number): readonly DatedCommit[] {
  const away = ({ committedAt }: DatedCommit) => Math.abs(Date.parse(committedAt) - around);
  return commits.toSorted((one, other) => away(one) - away(other)).slice(0, MAX_LOOKED_AT);
}
