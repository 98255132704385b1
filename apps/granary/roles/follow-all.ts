import type { Config } from '@granary/config';
import { type Followed, followUpstream, lookAtAll } from './follow.ts';
import type { Site } from './site.ts';

export interface FollowAllParts {
  readonly config: Pick<Config, 'follow'>;
  readonly site: Site;
  /** By the type of the package URLs that each looks at. */
  readonly observers: ReadonlyMap<string, Followed>;
  /** `nothing`: one look is enough. */
  readonly follow: 'upstream' | 'nothing';
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}
export interface FollowingAll extends AsyncDisposable {
  /** Resolves when every package that was known at the start was looked at. */
  readonly looked: Promise<unknown>;
}

/** Upstream went on while nobody looked: the first look at every ecosystem is now, others follow if they shall. */
export function followAll({ config, site, observers, follow, note, signal }: FollowAllParts): FollowingAll {
  const ending = new AbortController();
  const { catalog, clock } = site;
  const started = [...observers].map(([ecosystem, observer]) => {
    const ports = { ecosystem, catalog, observer, sink: site.sinkOf('sync'), note, signal: AbortSignal.any([signal, ending.signal]) };
    const looked = lookAtAll(ports);
    const following = follow === 'nothing' ? looked : looked.then(() => followUpstream({ ...ports, clock, intervalMs: config.follow.intervalSeconds * 1000 }));
    return { looked, following };
  });
  return {
    looked: Promise.all(started.map(({ looked }) => looked)),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(started.map(({ following }) => following));
    },
  };
}
