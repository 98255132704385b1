import type { Config } from '@granary/config';
import type { Queue } from '@granary/contract/ports';
import { ecosystemOf } from '@granary/ecosystems';
import { acceptRequests } from '@granary/stage-demand';
import { diskFaultOf } from '../disk-fault.ts';
import type { Progress } from '../output/progress.ts';
import { policyDigest } from './policy.ts';
import { openScheduler, type Scheduler } from './scheduler.ts';
import type { Site } from './site.ts';

export interface Scheduling extends AsyncDisposable {
  readonly scheduler: Scheduler;
  /** Every fact that was submitted so far is sequenced and folded, and the scheduler told. */
  readonly settle: () => Promise<void>;
}

export interface SchedulingParts {
  readonly config: Config;
  readonly site: Site;
  readonly queue: Queue;
  readonly progress: Progress;
}

/** Keeps a queue filled with what a site lacks, and shows what comes of it, whichever process does the work. */
export function openScheduling({ config, site, queue, progress }: SchedulingParts): Scheduling {
  const { catalog, privateStore, publicStore } = site;
  const ports = { ecosystemOf, catalog, privateBlobs: privateStore.blobs, publicBlobs: publicStore.blobs, policy: policyDigest(config) };
  const onError = (error: Error) => progress.note(`the scheduler stumbled, and tries again: ${diskFaultOf(error)?.message ?? error.message}`);
  const settled = async () => {
    await site.settle();
    if ((await acceptRequests({ catalog, sink: site.sinkOf('operator') }, config.requests.accept)) > 0) await site.settle();
  };
  const scheduler = openScheduler({ ...ports, queue, clock: site.clock, settle: settled, onError });
  const unsubscribe = queue.subscribe((event) => progress.onEvent(event));
  return {
    scheduler,
    async settle() {
      await site.settle();
      scheduler.nudge();
    },
    async [Symbol.asyncDispose]() {
      unsubscribe();
      await scheduler.stop();
    },
  };
}
