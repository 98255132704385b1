import { JobError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { type LookOptions, type Observation, type ObservePorts, observePackage } from '@granary/stage-sync';
import type { Site } from './site.ts';

/** Looks at upstream's indexes, one look at a package at a time: a look's facts are sequenced before the next begins. */
export interface Observer {
  observe(packagePurl: Purl, options?: LookOptions): Promise<Observation>;
}

export function openObserver(ports: ObservePorts, { settle, refresh }: Pick<Site, 'settle' | 'refresh'>): Observer {
  const underWay = new Map<Purl, { readonly pulled: boolean; readonly done: Promise<Observation> }>();
  const look = async (packagePurl: Purl, options: LookOptions): Promise<Observation> => {
    await refresh();
    const observation = await observePackage(ports, packagePurl, options);
    if (observation.type !== 'unchanged') await settle();
    return observation;
  };
  return {
    async observe(packagePurl, options = {}) {
      const pulled = options.pulled ?? false;
      for (let running = underWay.get(packagePurl); running !== undefined; running = underWay.get(packagePurl)) {
        // Who pulls is content with any look; who wants the package kept is not with one for a client.
        if (pulled || !running.pulled) return await running.done;
        await running.done.catch(() => undefined);
      }
      const done = look(packagePurl, options).finally(() => underWay.delete(packagePurl));
      underWay.set(packagePurl, { pulled, done });
      return await done;
    },
  };
}

/** As a job: that upstream has no such package is tried again later. */
export async function observeOrRetry(observer: Observer, packagePurl: Purl, signal: AbortSignal): Promise<void> {
  const observation = await observer.observe(packagePurl, { signal });
  if (observation.type === 'absent') throw new JobError('later', `observe ${packagePurl}: upstream has no such package`);
}
