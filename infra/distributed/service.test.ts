import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisMissing, startRedis } from '@granary/services';
import { expect, it, onTestFinished } from 'vitest';
import { startService } from './service.ts';

const missing = redisMissing();

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

it.skipIf(missing !== undefined)(
  `keeps the address of a service that is killed and started again${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-service-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const service = await startService((port) => startRedis({ folder, ...(port === undefined ? {} : { port }) }));
    const { port } = service.server;

    await service.kill();
    const killed = await answers(port);
    await service.start();
    await service.start();
    const started = await answers(port);
    await service[Symbol.asyncDispose]();

    expect([killed, started, await answers(port)]).toEqual([false, true, false]);
  },
);
