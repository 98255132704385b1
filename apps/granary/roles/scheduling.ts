import type { Config } from '@granary/config';
import type { Queue } from '@granary/contract/ports';
import { PENDING_PREFIX } from '@granary/core/layout';
import { ecosystemOf } from '@granary/ecosystems';
import { acceptRequests } from '@granary/stage-demand';
import { diskFaultOf } from '../disk-fault.ts';
import type { Progress } from '../output/progress.ts';
import type { Definitions } from './definitions.ts';
import { keepFailureNotes } from './failure-notes.ts';
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
  readonly definitions: Definitions | undefined;
}

/** Keeps a queue filled with what a site lacks, and shows what comes of it, whichever process does the work. */
export function openScheduling({ config, site, queue, progress, definitions }: SchedulingParts): Scheduling {
  const { catalog, privateStore, publicStore } = site;
  const ports = {
    ecosystemOf,
    catalog,
    privateBlobs: privateStore.blobs,
    publicBlobs: publicStore.blobs,
    policy: policyDigest(config),
    repositories: config.repositories.mirror,
    written: definitions,
  };
  const onError = (error: Error) => progress.note(`the scheduler stumbled, and tries again: ${diskFaultOf(error)?.message ?? error.message}`);
  const settled = async () => {
    await site.settle();
    if ((await acceptRequests({ catalog, sink: site.sinkOf('operator') }, config.requests.accept)) > 0) await site.settle();
  };
  const scheduler = openScheduler({ ...ports, queue, clock: site.clock, settle: settled, onError });
  const unsubscribe = queue.subscribe((event) => progress.onEvent(event));
  const handedOver = watchPending(site, () => scheduler.nudge());
  const notes = config.queue.type === 'process' ? keepFailureNotes(site.paths.failures, scheduler) : undefined;
  return {
    scheduler,
    async settle() {
      await site.settle();
      scheduler.nudge();
    },
    async [Symbol.asyncDispose]() {
      unsubscribe();
      clearInterval(handedOver);
      await notes?.[Symbol.asyncDispose]();
      await scheduler.stop();
    },
  };
}

const LOOK_EVERY_MS = 2000;

/** What commands hand over is taken within seconds: a sweep on its own may be half a minute away. */
function watchPending({ privateStore }: Pick<Site, 'privateStore'>, onNew: () => void): NodeJS.Timeout {
  let seen: ReadonlySet<string> = new Set();
  const look = async () => {
    const pending = new Set<string>(await Array.fromAsync(privateStore.objects.list(PENDING_PREFIX)));
    const isNew = [...pending].some((key) => !seen.has(key));
    seen = pending;
    if (isNew) onNew();
  };
  // A store that doesn't answer is the sweep's to tell.
  return setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
}
