import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { granaryArgv, startGranary } from './granary-process.ts';

/** A site that follows its upstream, and has taken in what the configuration watches. */
export interface RunningMirror {
  readonly address: string;
  /** When everything was held, and upstream had not changed yet. */
  readonly before: string;
  stop(): Promise<void>;
}

export async function startMirror(configFile: string): Promise<RunningMirror> {
  const listen = `127.0.0.1:${await freePort()}`;
  const running = startGranary(granaryArgv('up', '--config', configFile, '--listen', listen, '--json'));
  await running.saidThat(/^\{"artifacts":/m);
  const before = new Date().toISOString();
  await sleep(1000);
  return { address: `http://${listen}`, before, stop: running.stop };
}

/** What is shown once it is as expected, or else when the time is over. */
export async function shownWithin<T>(withinMs: number, shown: () => Promise<T>, expected: T): Promise<T> {
  const startedAt = performance.now();
  let now = await shown();
  while (performance.now() - startedAt < withinMs && JSON.stringify(now) !== JSON.stringify(expected)) {
    await sleep(500);
    now = await shown();
  }
  return now;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
