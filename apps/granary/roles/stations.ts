import type { Config } from '@granary/config';
import type { Queue, Sandbox } from '@granary/contract/ports';
import { openOciSandbox } from '@granary/driver-sandbox-oci';
import { ecosystems } from '@granary/ecosystems';
import type { Serve } from '@granary/stage-serve';
import type { Progress } from '../output/progress.ts';
import { debianArchitecture } from './environment.ts';
import { registerHandlers } from './handlers.ts';
import { openMirrorSockets } from './mirror-sockets.ts';
import type { Observer } from './observer.ts';
import { openRootfsMaker } from './rootfs-maker.ts';
import type { Site } from './site.ts';
import { openStation } from './station.ts';
import type { Upstreams } from './upstreams.ts';

export interface StationsParts {
  readonly config: Config;
  readonly site: Site;
  readonly upstreams: Upstreams;
  /** The site's own mirror, for what runs in the sandbox. */
  readonly served: Pick<Serve, 'only'>;
  readonly queue: Queue;
  /** Every fact that was submitted so far is sequenced, and whoever schedules is told. */
  readonly settle: () => Promise<void>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}
export interface Stations extends AsyncDisposable {
  /** By ecosystem. */
  readonly observers: ReadonlyMap<string, Observer>;
}

/** A station per ecosystem, all behind one upstream client and one sandbox, and their handlers at the queue. */
export async function openStations(parts: StationsParts): Promise<Stations> {
  await using stack = new AsyncDisposableStack();
  const { config, site, upstreams, progress, served, queue, settle, signal } = parts;
  const sandbox = stack.use(await openOciSandbox({ rootfsCacheDir: site.paths.rootfs, scratchDir: site.paths.sandbox, blobs: site.publicStore.blobs }));
  const mirrors = stack.use(await openMirrorSockets({ serve: served, ledgerSize: () => site.catalog.size(site.origins.public), notesDir: site.paths.sockets }));
  const rootfs = openRootfsMaker({ site, distribution: upstreams.distribution, filesystems: sandbox, architecture: debianArchitecture() });
  const observers = new Map<string, Observer>();
  for (const ecosystem of ecosystems) {
    const { index: upstreamBase, client: upstream } = upstreams.of(ecosystem);
    const given = { config, site, ecosystem, upstreamBase, upstream, rootfs, mirrors, settle, note: progress.note, signal };
    const station = stack.use(await openStation({ ...given, sandbox: reporting(sandbox, progress) }));
    registerHandlers(queue, station.stages, { before: site.refresh, rebuild: config.rebuild.concurrency });
    observers.set(ecosystem.id, station.observer);
  }
  // Ends first: what runs still needs everything above.
  stack.defer(() => queue.stop());
  const owned = stack.move();
  return { observers, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function reporting(sandbox: Sandbox, progress: Progress): Sandbox {
  return { run: (run) => sandbox.run({ ...run, onPhase: (phase) => progress.onStep({ type: 'phase', id: run.id, ...phase }) }) };
}
