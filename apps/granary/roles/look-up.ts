import type { Config } from '@granary/config';
import { type Ecosystem, usesResolver } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { JobError, type Upstream } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { systemClock } from '@granary/driver-queue-memory';
import { ecosystems } from '@granary/ecosystems';
import type { DemandedEcosystem } from '@granary/stage-demand';
import { askUpstream, openUpstreamDocuments, type UpstreamDocuments } from '@granary/stage-sync';
import { type LookUpResolver, openLookUpResolver } from './look-up-resolver.ts';
import { openUpstreams } from './upstreams.ts';

/** Upstream as demand sees it, for those who only want to know: nothing is recorded. */
export interface LookUp extends AsyncDisposable {
  readonly ecosystems: readonly DemandedEcosystem[];
  /** How many documents upstream offers beside an artifact. */
  readonly companionsOf: (purl: Purl) => number;
  readonly requestsPerSecond: (ecosystem: string) => number;
}
export interface LookUpOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly note: (text: string) => void;
}

const DEFAULT_PER_SECOND = 50;
/** Longer than any look takes: what was asked once is not asked again. */
const MAX_AGE_MS = 3_600_000;

export async function openLookUp({ config, environment, note }: LookUpOptions): Promise<LookUp> {
  await using opening = new AsyncDisposableStack();
  const clock = systemClock();
  const upstreams = opening.use(await openUpstreams({ config, environment, clock, note }));
  const resolvers = opening.use(new AsyncDisposableStack());
  const companions = new Map<Purl, number>();
  const demanded = ecosystems.flatMap((ecosystem): readonly DemandedEcosystem[] => {
    const found = upstreams.of(ecosystem);
    return found === undefined ? [] : [lookedUp({ ecosystem, upstreamBase: found.index, upstream: found.client, clock, note, resolvers }, companions)];
  });
  const opened = opening.move();
  return {
    ecosystems: demanded,
    companionsOf: (purl) => companions.get(purl) ?? 0,
    requestsPerSecond: (id) => config.upstreams[id]?.requestsPerSecond ?? DEFAULT_PER_SECOND,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface Looking {
  readonly ecosystem: Ecosystem;
  readonly upstreamBase: string;
  readonly upstream: Upstream;
  readonly clock: ReturnType<typeof systemClock>;
  readonly note: (text: string) => void;
  /** Closed with the look. */
  readonly resolvers: AsyncDisposableStack;
}

function lookedUp(looking: Looking, companions: Map<Purl, number>): DemandedEcosystem {
  const { ecosystem, upstreamBase, upstream } = looking;
  const observe = async (packagePurl: Purl) => {
    throw new JobError('never', `observe ${packagePurl}: a look records nothing`);
  };
  // Nothing is on record: every document is asked of upstream, and nothing is written.
  const documents = openUpstreamDocuments({ ...looking, catalog: memoryCatalog(), blobs: memoryStore().blobs, observe, maxAgeMs: MAX_AGE_MS });
  const current: DemandedEcosystem['current'] = async (packagePurl) => {
    const found = await documents.current(packagePurl);
    for (const artifact of found?.document.artifacts ?? []) if (artifact.companions.length > 0) companions.set(artifact.purl, artifact.companions.length);
    return found;
  };
  const ask = askUpstream({ upstreamBase, upstream });
  const tool = resolverOf(looking, documents);
  return {
    ecosystem,
    upstreamBase,
    current,
    resolve: async (requirements, signal) =>
      (await ecosystem.demand.resolve?.(requirements, current, ask)) ??
      (await tool?.resolve(requirements, signal)) ?? { ok: false, why: 'unavailable', detail: `nothing here resolves ranges of ${ecosystem.id}` },
  };
}

/** Undefined where the ecosystem resolves by itself, or nobody does. */
function resolverOf({ ecosystem, upstream, note, resolvers }: Looking, documents: UpstreamDocuments): LookUpResolver | undefined {
  if (ecosystem.demand.resolve !== undefined || !usesResolver(ecosystem)) return undefined;
  return resolvers.use(openLookUpResolver({ ecosystem, documents, upstream, note }));
}
