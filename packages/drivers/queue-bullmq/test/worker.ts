import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openBullQueue } from '../index.ts';
import { machineClock } from './machine-clock.ts';

// A worker of its own, started by the tests: `worker.ts <url> <prefix> work|hang|die|record [<folder>]`. Says what it takes, line by line; SIGTERM ends it in order.
const [url = '', prefix = '', manner = 'work', folder = ''] = process.argv.slice(2);
const queue = await openBullQueue({ url, prefix, clock: machineClock, onNote: (text) => say(`note ${text}`), stall: { lockMs: 600, checkMs: 200 } });

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Fails now and then, takes a moment, and leaves a file: the truth that the queue is none of. */
async function record(id: string, signal: AbortSignal): Promise<void> {
  if (Math.random() < 0.05) throw new Error('by chance');
  await setTimeout(Math.random() * 40, undefined, { signal });
  await writeFile(join(folder, id), '');
}

queue.handle('sync', { concurrency: manner === 'record' ? 8 : 2, timeoutMs: 60_000 }, async ({ id }, { signal, attempt }) => {
  say(`takes ${id} ${attempt}`);
  if (manner === 'record') return await record(id, signal);
  if (manner === 'die') process.kill(process.pid, 'SIGKILL');
  await setTimeout(manner === 'hang' ? 60_000 : 5, undefined, { signal });
});
process.once('SIGTERM', () => void queue.stop().then(() => process.exit(0)));
say('ready');
