import { ledgerOnDisk, numbered } from './on-disk.ts';

// Started by killed.test.ts: `writer.ts <folder> <first>`. Says the number of every fact as soon as it is acknowledged, until it is killed.
const [folder = '', first = '0'] = process.argv.slice(2);
await using ledger = await ledgerOnDisk(folder);
const sequencer = await ledger.open();

async function submit(): Promise<never> {
  for (let at = Number(first); ; at += 5) {
    const numbers = [at, at + 1, at + 2, at + 3, at + 4];
    await ledger.sink.submit(numbers.map(numbered));
    process.stdout.write(`${numbers.join('\n')}\n`);
  }
}

async function drain(): Promise<never> {
  for (;;) await sequencer.drain();
}

await Promise.all([submit(), drain()]);
