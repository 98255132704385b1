import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisOptions, type RedisServer, redisMissing, startRedis } from '@granary/services';
import { onTestFinished } from 'vitest';
import { type BullQueueOptions, openBullQueue } from '../index.ts';
import { machineClock } from './machine-clock.ts';

/** Why these tests can't run here. */
export const noRedis = redisMissing();

/** What a skipped group of tests is called. */
export const named = (name: string) => (noRedis === undefined ? name : `${name} (skipped: ${noRedis})`);

export interface TestRedis {
  readonly server: RedisServer;
  readonly kill: () => Promise<void>;
  /** At the same address, with nothing of what it held. */
  readonly restart: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** A server of one's own, over a folder of its own. */
export async function testRedis(options: Omit<RedisOptions, 'folder'> = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-queue-'));
  const server = await startRedis({ ...options, folder });
  let running = server;
  return {
    server,
    kill: () => running.kill(),
    async restart() {
      running = await startRedis({ ...options, folder, port: server.port });
    },
    async remove() {
      await running.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A site's own corner of a Redis that other tests use too. */
export const ownPrefix = (): string => `test-${randomUUID()}`;

/** A queue that ends with its test. */
export async function testQueue(options: Omit<BullQueueOptions, 'clock' | 'onNote'> & Partial<BullQueueOptions>) {
  const queue = await openBullQueue({ clock: machineClock, onNote: () => undefined, ...options });
  onTestFinished(() => queue.stop());
  return queue;
}
