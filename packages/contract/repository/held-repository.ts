import type { RefState } from '@granary/core/git';
import type { Purl, Sha256 } from '@granary/core/model';
import type { BlobStore, Catalog, LocalRepository, Repositories } from '../ports/index.ts';
import { heldPacks, readKnownRefs } from './ref-states.ts';

export interface HeldRepositoryPorts {
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly catalog: Pick<Catalog, 'current' | 'ofPackage'>;
  readonly repositories: Repositories;
}

/** A repository with everything that was ever taken in of it, and its refs as they were last seen. */
export interface HeldRepository {
  readonly local: LocalRepository;
  readonly state: RefState;
  /** Digest of the document of refs. */
  readonly snapshot: Sha256;
}

/** Undefined where nothing of it is held. Throws RepositoryError, StoreError. */
export async function heldRepository({ blobs, catalog, repositories }: HeldRepositoryPorts, repository: Purl): Promise<HeldRepository | undefined> {
  const known = await readKnownRefs({ blobs, catalog }, repository);
  const packs = heldPacks(catalog, repository);
  if (known === undefined || packs.length === 0) return undefined;
  const { state, digest: snapshot } = known;
  return { local: await repositories.open(repository, { objectFormat: state.objectFormat, packs }), state, snapshot };
}
