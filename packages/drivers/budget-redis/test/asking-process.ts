import { setTimeout } from 'node:timers/promises';
import { openRedisBudget } from '../index.ts';

// Started by the tests: `asking-process.ts <url> <host> <milliseconds>`. Asks as fast as the budget lets it, and says when each request went.
const [url = '', host = '', duration = '0'] = process.argv.slice(2);
await using budget = openRedisBudget({ url, requestsPerSecond: 40, burst: 10, onNote: (text) => process.stderr.write(`${text}\n`) });
await budget.take('another.example:443');
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));

const end = Date.now() + Number(duration);
while (Date.now() < end) {
  const wait = await budget.take(host);
  if (wait === 0) process.stdout.write(`${Date.now()}\n`);
  else await setTimeout(wait);
}
process.exit(0);
