import { randomUUID } from 'node:crypto';
import { EcosystemError } from '@granary/contract/ecosystem';
import { JobError, type Resolver, StoreError, UpstreamError } from '@granary/contract/ports';
import { openHttpServer, webHandler } from '@granary/driver-http-fastify';
import { type CandidatePorts, openCandidateView } from '@granary/stage-sync';

/** The candidate view on loopback, for the resolver alone: a path that nobody else knows. */
export interface CandidateServer extends AsyncDisposable {
  /** Index address for the resolver. */
  readonly indexUrl: string;
  /** The resolver, saying what upstream did where it knows only that a request failed. */
  explained(resolver: Resolver): Resolver;
}

/** 424 Failed Dependency (RFC 4918 11.4): resolvers ask again after a 5xx, and whatever can be tried again was tried upstream. */
const FAILED_DEPENDENCY = 424;
const MAX_FAULTS = 512;

export async function openCandidateServer(ports: CandidatePorts): Promise<CandidateServer> {
  const view = openCandidateView(ports);
  const prefix = `/${randomUUID()}`;
  const faults = new Map<string, JobError>();
  const handler = webHandler(async (request) => {
    const url = new URL(request.url);
    const address = url.pathname;
    if (!address.startsWith(`${prefix}/`)) return new Response('', { status: 404 });
    url.pathname = address.slice(prefix.length);
    try {
      const response = await view.handle(new Request(url, request));
      faults.delete(address);
      return response;
    } catch (error) {
      if (faults.size >= MAX_FAULTS) faults.clear();
      faults.set(address, faultOf(address, error));
      return new Response('', { status: FAILED_DEPENDENCY });
    }
  });
  const server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handler });
  return {
    indexUrl: `${server.address}${prefix}/simple/`,
    explained: (resolver) => explained(resolver, faults),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The package or file that was asked for, and why it can't be had. */
function faultOf(address: string, error: unknown): JobError {
  if (error instanceof JobError) return error;
  const what = decodeURIComponent(/([^/]+?)(\.metadata|\/)?$/.exec(address)?.[1] ?? address);
  return new JobError(mayPass(error) ? 'at-once' : 'later', `fetch ${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** Faults of a moment; what upstream itself has wrong is looked at again later. */
function mayPass(error: unknown): boolean {
  if (error instanceof EcosystemError) return false;
  if (error instanceof StoreError) return error.code !== 'digest-mismatch' && error.code !== 'too-large';
  if (error instanceof UpstreamError) return !['refused-address', 'too-large', 'too-many-redirects', 'malformed'].includes(error.code);
  return true;
}

/** Attribution is by address: a resolver names the one that it could not read. */
function explained(resolver: Resolver, faults: ReadonlyMap<string, JobError>): Resolver {
  return {
    async resolve(request) {
      try {
        return await resolver.resolve(request);
      } catch (error) {
        const said = error instanceof Error ? error.message : '';
        const fault = [...faults].find(([address]) => said.includes(address))?.[1];
        // What was at fault goes along: a full disk concerns more than this job.
        throw fault === undefined ? error : new JobError(fault.retry, fault.message, { cause: fault });
      }
    },
  };
}
