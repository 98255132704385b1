import { JobError } from '@granary/contract/ports';
import type { TryInstallPorts } from '@granary/stage-rebuild';
import type { SyncPorts } from '@granary/stage-sync';
import { debianArchitecture, type Environment, ensureEnvironment } from './environment.ts';
import type { Observer } from './observer.ts';
import type { StationParts } from './station.ts';

/** What it takes to try installs of an ecosystem's products. The environment is made by the first product that runs anything; what failed is tried again by the next. */
export function openInstallTrials(parts: StationParts, { sync, observer }: { readonly sync: SyncPorts; readonly observer: Observer }): () => TryInstallPorts {
  const { site, ecosystem, rootfs, settle, note, signal } = parts;
  let made: Promise<Environment> | undefined;
  const make = async (): Promise<Environment> => {
    const toolset = ecosystem.installing?.toolset(debianArchitecture());
    if (toolset === undefined) throw new JobError('later', `try installs: no client of ${ecosystem.id} is known for ${debianArchitecture()}`);
    return await ensureEnvironment({ purpose: `${ecosystem.id} installs`, toolset, sync, observer, rootfs, settle, note, signal });
  };
  const environment = () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return () => {
    const { id, installing } = ecosystem;
    if (installing === undefined) throw new JobError('never', `try installs: ${id} doesn't say how`);
    return {
      ecosystem: { id, installing },
      rootfs: async () => (await environment()).rootfs,
      sandbox: parts.sandbox,
      openMirror: (moment) => parts.mirrors.open(moment),
      publicBlobs: site.publicStore.blobs,
      privateBlobs: site.privateStore.blobs,
      catalog: site.catalog,
      sink: site.sinkOf('rebuild'),
      clock: site.clock,
    };
  };
}
