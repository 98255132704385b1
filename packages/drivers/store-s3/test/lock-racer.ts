import { openS3Lock } from '../index.ts';

// Started by the contract suite: `lock-racer.ts <service as JSON> <origin> <number> <turns>`. Says `ready`, waits for a line, races, says what its first swap returned.
const [service = '', origin = '', number = '', turns = '0'] = process.argv.slice(2);
const lock = await openS3Lock(JSON.parse(service));
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));

const first = await lock.swap(origin, undefined, new TextEncoder().encode(number));
for (let turn = 0; turn < Number(turns); turn++) {
  for (;;) {
    const head = await lock.load(origin);
    if (head === undefined) throw new Error('no head after a swap');
    if (await lock.swap(origin, head, Buffer.concat([head, Buffer.from(number)]))) break;
  }
}
process.stdout.write(`${first}\n`);
process.exit(0);
