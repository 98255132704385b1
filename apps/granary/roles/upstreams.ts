import type { Config } from '@granary/config';
import type { Clock, Upstream } from '@granary/contract/ports';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import type { ArchiveSource } from '@granary/ecosystem-deb';
import { ecosystems } from '@granary/ecosystems';
import { discoverUpstream, type UpstreamAddress } from './discover.ts';
import { discoverDistribution } from './rootfs-maker.ts';

/** Everything outside, behind one client that keeps each upstream's budget. */
export interface Upstreams extends AsyncDisposable {
  /** By ecosystem. */
  readonly addresses: ReadonlyMap<string, UpstreamAddress>;
  readonly client: Upstream;
  readonly distribution: ArchiveSource | undefined;
}
export interface UpstreamsOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

const USER_AGENT = 'granary/0.1 (+mirror and rebuilder)';
/** Per host: what the largest registries let one client ask. */
const BUDGET = { maxConcurrent: 16, requestsPerSecond: 50, burst: 100 };

/** Finds out where every ecosystem's upstream and the distribution's archive lie. Throws AppError `no-upstream`. */
export async function openUpstreams({ config, environment, clock }: UpstreamsOptions): Promise<Upstreams> {
  const addresses = new Map<string, UpstreamAddress>();
  for (const ecosystem of ecosystems) addresses.set(ecosystem.id, await discoverUpstream(config, ecosystem, environment));
  const distribution = await discoverDistribution();
  const configured = [...[...addresses.values()].flatMap(({ index, files }) => [index, ...files]), ...(distribution === undefined ? [] : [distribution.url])];
  const client = openHttpUpstream({ configured, clock, userAgent: USER_AGENT, budgets: BUDGET });
  return { addresses, client, distribution, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}
