import type { RootFilesystems, Upstream } from '@granary/contract/ports';
import { type ComputedFact, factBody } from '@granary/core/model';
import { openAptResolver, readAptConfiguration, readKeyrings } from '@granary/driver-sandbox-oci';
import { type ArchiveSource, type MirroredRootfs, mainArchive, mirrorRootfs, parseAptSources } from '@granary/ecosystem-deb';
import { AppError } from '../app-error.ts';
import type { RootfsMaker } from './environment.ts';
import type { Site } from './site.ts';

export interface RootfsMakerParts {
  readonly site: Site;
  readonly filesystems: RootFilesystems;
  /** Where this machine's apt gets the distribution; undefined when it doesn't tell. */
  readonly distribution: { readonly source: ArchiveSource; readonly client: Upstream } | undefined;
  readonly architecture: string;
}

/** Root filesystems are of this release, whatever the machine runs: builds don't depend on the host. */
const SUITE = 'bookworm';

/** The distribution's archive as this machine's own package manager knows it. */
export async function discoverDistribution(): Promise<ArchiveSource | undefined> {
  const { sources } = await readAptConfiguration();
  return mainArchive(parseAptSources(sources), SUITE);
}

export function openRootfsMaker({ site, filesystems, distribution, architecture }: RootfsMakerParts): RootfsMaker {
  const { blobs } = site.publicStore;
  return {
    prepare: (recipe, signal) => filesystems.prepare(recipe, signal),
    async mirror(include, files, signal) {
      if (distribution === undefined) {
        throw new AppError('no-upstream', `root filesystem: this machine's apt sources name no archive of ${SUITE}; add one to /etc/apt/sources.list.d`);
      }
      const { source, client: upstream } = distribution;
      const keyrings = await readKeyrings(source.signedBy);
      const resolver = openAptResolver({ blobs, scratchDir: site.paths.resolver });
      const mirrored = await mirrorRootfs({ upstream, blobs, resolver }, { source, keyrings, architecture, include, files, signal });
      await site.sinkOf('sync').submit(storedFacts(mirrored));
      return mirrored.recipe;
    },
  };
}

function storedFacts({ artifacts }: MirroredRootfs): readonly ComputedFact[] {
  return artifacts.map(({ artifact, evidence }) => ({
    kind: 'stored',
    subject: artifact.purl,
    inputs: [artifact.sha256],
    body: factBody({ sha256: artifact.sha256, sizeBytes: artifact.sizeBytes ?? 0, path: artifact.path, evidence }),
  }));
}
