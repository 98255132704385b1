import { setTimeout } from 'node:timers/promises';
import { openBullQueue } from '../index.ts';
import { machineClock } from './machine-clock.ts';

// A worker of its own, started by the tests: `worker.ts <url> <prefix> work|hang|die`. Says what it takes, line by line; SIGTERM ends it in order.
const [url = '', prefix = '', manner = 'work'] = process.argv.slice(2);
const queue = await openBullQueue({ url, prefix, clock: machineClock, onNote: (text) => say(`note ${text}`), stall: { lockMs: 600, checkMs: 200 } });

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

queue.handle('sync', { concurrency: 2, timeoutMs: 60_000 }, async ({ id }, { signal, attempt }) => {
  say(`takes ${id} ${attempt}`);
  if (manner === 'die') process.kill(process.pid, 'SIGKILL');
  await setTimeout(manner === 'hang' ? 60_000 : 5, undefined, { signal });
});
process.once('SIGTERM', () => void queue.stop().then(() => process.exit(0)));
say('ready');
