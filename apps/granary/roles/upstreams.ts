import type { Config } from '@granary/config';
import type { Ecosystem } from '@granary/contract/ecosystem';
import type { AttestationVerifier, Clock, Upstream } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import type { ArchiveSource } from '@granary/ecosystem-deb';
import { ecosystems } from '@granary/ecosystems';
import { openAttestations } from './attestations.ts';
import { discoverUpstream } from './discover.ts';
import { addressBy, discoverUrlRules } from './repositories.ts';
import { discoverDistribution } from './rootfs-maker.ts';
import { openSharedBudget } from './services.ts';

/** Everything outside, each behind a client that keeps its budget. */
export interface Upstreams extends AsyncDisposable {
  /** Undefined where this machine doesn't tell; {@link Upstreams.missing} says why. */
  of(ecosystem: Ecosystem): { readonly index: string; readonly settings: Readonly<Record<string, string>>; readonly client: Upstream } | undefined;
  missing(ecosystem: Ecosystem): Error | undefined;
  /** Any forge: repositories lie on many. */
  readonly forges: { readonly client: Upstream; readonly addressOf: (repository: Purl) => string };
  /** Undefined where no roots of trust are configured. */
  readonly attestations: AttestationVerifier | undefined;
  /** Where this machine's apt gets the distribution; undefined when it doesn't tell. */
  readonly distribution: { readonly source: ArchiveSource; readonly client: Upstream } | undefined;
}
export interface UpstreamsOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly note: (text: string) => void;
}

/** Of one forge. */
const FORGE_PER_SECOND = 10;
const USER_AGENT = 'granary/0.1 (+mirror and rebuilder)';
/** Per host: what the largest registries let one client ask. */
const DEFAULT_PER_SECOND = 50;
/** After a quiet time: what an install of fifteen hundred packages brings at once, an index and a file for each. */
const REGISTRY_BURST_SECONDS = 60;
/** A client of ours opens a dozen connections, and what tells of its files is asked at the same time. */
const MAX_CONCURRENT = 32;
/** Of an archive that everybody mirrors. */
const DISTRIBUTION_PER_SECOND = 50;

/** Finds out where every ecosystem's upstream and the distribution's archive lie, as far as this machine tells. */
export async function openUpstreams({ config, environment, clock, note }: UpstreamsOptions): Promise<Upstreams> {
  const attestations = await openAttestations(config);
  await using stack = new AsyncDisposableStack();
  const open = (configured: readonly string[], requestsPerSecond: number, credentials?: ReadonlyMap<string, string>): Upstream => {
    const burstSeconds = requestsPerSecond >= DEFAULT_PER_SECOND ? REGISTRY_BURST_SECONDS : 2;
    const rate = { requestsPerSecond, burst: burstSeconds * requestsPerSecond };
    const shared = openSharedBudget(config, { ...rate, note });
    if (shared !== undefined) stack.use(shared);
    const budgets = { ...rate, maxConcurrent: MAX_CONCURRENT };
    return stack.use(
      openHttpUpstream({ configured, clock, userAgent: USER_AGENT, budgets, ...(credentials && { credentials }), ...(shared && { sharedBudget: shared }) }),
    );
  };
  const opened = new Map<string, ReturnType<Upstreams['of']>>();
  const missing = new Map<string, Error>();
  const discovered = await Promise.allSettled(ecosystems.map((ecosystem) => discoverUpstream(config, ecosystem, environment)));
  for (const [at, { id }] of ecosystems.entries()) {
    const found = discovered[at];
    if (found?.status === 'fulfilled') {
      const { index, files, settings, credentials } = found.value;
      opened.set(id, { index, settings, client: open([index, ...files], config.upstreams[id]?.requestsPerSecond ?? DEFAULT_PER_SECOND, credentials) });
    } else if (found?.reason instanceof Error) missing.set(id, found.reason);
  }
  const source = await discoverDistribution();
  const distribution = source === undefined ? undefined : { source, client: open([source.url], DISTRIBUTION_PER_SECOND) };
  const rules = await discoverUrlRules(config, environment);
  const forges = { client: open([...new Set(rules.map(({ base }) => base))], FORGE_PER_SECOND), addressOf: addressBy(rules) };
  const owned = stack.move();
  return {
    attestations,
    distribution,
    forges,
    of: ({ id }) => opened.get(id),
    missing: ({ id }) => missing.get(id),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
