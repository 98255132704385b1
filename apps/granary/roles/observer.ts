import type { PackageDocument } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import {
  type LookOptions,
  type Observation,
  type ObservePorts,
  observePackage,
  openRechecks,
  type RecheckPorts,
  type Rechecks,
  type Sighting,
} from '@granary/stage-sync';
import type { Site } from './site.ts';

/** Looks at upstream's indexes, one look at a package at a time: a look's facts are sequenced before the next begins. */
export interface Observer {
  /** For whoever wants the package kept; `replaced` are files that upstream has other bytes of than those that are held. */
  observe(packagePurl: Purl, options?: Pick<LookOptions, 'signal'>): Promise<Observation & { readonly replaced?: readonly string[] }>;
  /** For a client of a view that fetches: content with any look that is under way. `settle` is asked to sequence what it brings. */
  sight(packagePurl: Purl, options: Pick<Site, 'settle'> & { readonly signal: AbortSignal }): Sighting;
}

export function openObserver(ports: ObservePorts & RecheckPorts, { settle, refresh }: Pick<Site, 'settle' | 'refresh'>): Observer {
  const rechecks = openRechecks(ports);
  const underWay = new Map<Purl, { readonly pulled: boolean; readonly sighting: Sighting }>();
  const look = (packagePurl: Purl, options: LookOptions, settleWith: () => Promise<void>): Sighting => {
    const sighting = lookInSteps(ports, { packagePurl, options, refresh, settle: settleWith, rechecks });
    const entry = { pulled: options.pulled ?? false, sighting };
    underWay.set(packagePurl, entry);
    const end = () => void (underWay.get(packagePurl) === entry && underWay.delete(packagePurl));
    sighting.settled.then(end, end);
    return sighting;
  };
  return {
    async observe(packagePurl, options = {}) {
      for (let running = underWay.get(packagePurl); running !== undefined; running = underWay.get(packagePurl)) {
        if (!running.pulled) return await running.sighting.settled;
        // Who wants the package kept is not content with a look for a client, and doesn't wait until its facts have gathered.
        await running.sighting.recorded.catch(() => undefined);
        await settle();
        if (underWay.get(packagePurl) === running) underWay.delete(packagePurl);
      }
      return await look(packagePurl, options, settle).settled;
    },
    sight: (packagePurl, { signal, settle: settleWith }) => underWay.get(packagePurl)?.sighting ?? look(packagePurl, { pulled: true, signal }, settleWith),
  };
}

interface Steps extends Pick<Site, 'settle' | 'refresh'> {
  readonly packagePurl: Purl;
  readonly options: LookOptions;
  readonly rechecks: Rechecks;
}

function lookInSteps(ports: ObservePorts, { packagePurl, options, settle, refresh, rechecks }: Steps): Sighting {
  const document = Promise.withResolvers<PackageDocument | undefined>();
  const record = async (): Promise<Observation> => {
    await refresh();
    return await observePackage(ports, packagePurl, { ...options, onRead: document.resolve });
  };
  const recorded = record();
  recorded.then(() => document.resolve(undefined), document.reject);
  const settled = recorded.then(async (observation) => {
    if (observation.type !== 'unchanged') await settle();
    // Nobody waits for it who only asks what there is.
    if (options.pulled === true) return observation;
    const { facts, replaced } = await rechecks.afterLook(packagePurl, options.signal);
    if (facts > 0) await settle();
    const earlier = observation.type === 'changed' ? (observation.replaced ?? []) : [];
    return { ...observation, replaced: [...earlier, ...replaced] };
  });
  // Nobody has to wait for each of them.
  for (const step of [document.promise, recorded, settled]) step.catch(() => undefined);
  return { document: document.promise, recorded, settled };
}

/** As a job: that upstream has no such package is tried again later. */
export async function observeOrRetry(observer: Observer, packagePurl: Purl, signal: AbortSignal): Promise<void> {
  const observation = await observer.observe(packagePurl, { signal });
  if (observation.type === 'absent') throw new JobError('later', `observe ${packagePurl}: upstream has no such package`);
}
