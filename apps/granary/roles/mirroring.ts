import type { Config } from '@granary/config';
import { JobError, type Repositories } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { DEFAULT_REF_PREFIXES, mirrorRepository, type RepositoryLook, type RepositoryPorts } from '@granary/stage-sync';
import type { Site } from './site.ts';
import type { Upstreams } from './upstreams.ts';

/** Looks at repositories, one look at a repository at a time: a look's facts are sequenced before the next begins. */
export interface RepositoryObserver {
  look(repository: Purl, signal?: AbortSignal): Promise<RepositoryLook>;
}
export interface MirroringParts {
  readonly config: Pick<Config, 'repositories'>;
  readonly site: Site;
  readonly forges: Upstreams['forges'];
  readonly repositories: Repositories;
  /** Every fact that was submitted so far is sequenced, and whoever schedules is told. */
  readonly settle: () => Promise<void>;
}

/** Of indexing one pack, which takes as long as the machine needs. */
const PACK_TIMEOUT_MS = 60 * 60_000;
/** Of one look: what doesn't come by then comes with the next. */
const LARGE_FILES_TIMEOUT_MS = 60 * 60_000;

export function openRepositoryObserver({ config, site, forges, repositories, settle }: MirroringParts): RepositoryObserver {
  const { refs, maxPackBytes, lfs } = config.repositories;
  const ports: RepositoryPorts = {
    upstream: forges.client,
    addressOf: forges.addressOf,
    repositories,
    blobs: site.publicStore.blobs,
    catalog: site.catalog,
    sink: site.sinkOf('sync'),
    limits: { maxBytes: maxPackBytes, timeoutMs: PACK_TIMEOUT_MS },
    largeFiles: { ...lfs, timeoutMs: LARGE_FILES_TIMEOUT_MS },
    refPrefixes: refs ?? DEFAULT_REF_PREFIXES,
  };
  const underWay = new Map<Purl, Promise<RepositoryLook>>();
  const look = async (repository: Purl, signal?: AbortSignal): Promise<RepositoryLook> => {
    await site.refresh();
    const found = await mirrorRepository(ports, repository, signal);
    if (found.type !== 'unchanged') await settle();
    return found;
  };
  return {
    async look(repository, signal) {
      const running = underWay.get(repository) ?? look(repository, signal).finally(() => underWay.delete(repository));
      underWay.set(repository, running);
      return await running;
    },
  };
}

/** As a job: that upstream has no such repository is tried again later. */
export async function mirrorOrRetry(observer: RepositoryObserver, repository: Purl, signal: AbortSignal): Promise<void> {
  const found = await observer.look(repository, signal);
  if (found.type === 'absent') throw new JobError('later', `mirror ${repository}: upstream has no such repository, or shows it to nobody`);
}
