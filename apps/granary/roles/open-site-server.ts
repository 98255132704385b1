import { openAdvisoriesFolder } from '@granary/driver-advisories-folder';
import { openHttpServer } from '@granary/driver-http-fastify';
import { systemClock } from '@granary/driver-queue-memory';
import type { Serve } from '@granary/stage-serve';
import { parseListen, type ServedArchive, serveArchive } from './serve-archive.ts';

/** A site that is reached by its address, until it is disposed. */
export interface SiteServer extends AsyncDisposable {
  readonly served: Serve;
  /** `http://127.0.0.1:8080`. */
  readonly address: string;
}

/** A question about a large project has some hundred thousand bytes: hundreds may be asked at once. */
const MAX_BODIES_BYTES = 48 * 2 ** 20;

/** Serves an archive where the configuration says, with the advisories that it names. */
export async function openSiteServer(archive: ServedArchive, note: (text: string) => void): Promise<SiteServer> {
  await using stack = new AsyncDisposableStack();
  const { advisories: named } = archive.config;
  const advisories = named && stack.use(openAdvisoriesFolder({ ...named, clock: systemClock(), note }));
  const served = serveArchive({ ...archive, advisories });
  const onError = (error: unknown) => note(`answering a client: ${String(error)}`);
  const listen = parseListen(archive.config.listen);
  const { address } = stack.use(await openHttpServer({ listen, handler: served.handle, onError, maxBodiesBytes: MAX_BODIES_BYTES }));
  const owned = stack.move();
  return { served, address, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
