import { JobError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { type Observation, type ObservePorts, observePackage } from '@granary/stage-sync';
import type { Site } from './site.ts';

/** Looks at upstream's indexes, one look at a package at a time: a look's facts are sequenced before the next begins. */
export interface Observer {
  observe(packagePurl: Purl, signal?: AbortSignal): Promise<Observation>;
}

export function openObserver(ports: ObservePorts, { settle, refresh }: Pick<Site, 'settle' | 'refresh'>): Observer {
  const underWay = new Map<Purl, Promise<Observation>>();
  const look = async (packagePurl: Purl, signal: AbortSignal | undefined): Promise<Observation> => {
    await refresh();
    const observation = await observePackage(ports, packagePurl, signal);
    if (observation.type !== 'unchanged') await settle();
    return observation;
  };
  return {
    async observe(packagePurl, signal) {
      const running = underWay.get(packagePurl);
      if (running !== undefined) return await running;
      const started = look(packagePurl, signal).finally(() => underWay.delete(packagePurl));
      underWay.set(packagePurl, started);
      return await started;
    },
  };
}

/** As a job: that upstream has no such package is tried again later. */
export async function observeOrRetry(observer: Observer, packagePurl: Purl, signal: AbortSignal): Promise<void> {
  const observation = await observer.observe(packagePurl, signal);
  if (observation.type === 'absent') throw new JobError('later', `observe ${packagePurl}: upstream has no such package`);
}
