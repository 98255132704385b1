import process from 'node:process';
import type { LockBackend } from '../ports/index.ts';

/** What each process of the lock suite's race does, and how it is called: `<where> <origin> <number> <turns>`. */
export interface Race {
  /** What the process needs to open the lock. */
  readonly where: string;
  run(lock: LockBackend): Promise<never>;
}

/**
 * Reads the command line of a racing process. To run is to say `ready`, wait for a line, swap nothing for one's number, then as many times
 * as there are turns the head for itself plus that number; and to say what the first swap returned.
 */
export function raceForHead(): Race {
  const [where = '', origin = '', number = '', turns = '0'] = process.argv.slice(2);
  return {
    where,
    async run(lock) {
      process.stdout.write('ready\n');
      await new Promise((resolve) => process.stdin.once('data', resolve));
      const first = await lock.swap(origin, undefined, new TextEncoder().encode(number));
      for (let turn = 0; turn < Number(turns); turn++) await winTurn(lock, origin, number);
      process.stdout.write(`${first}\n`);
      process.exit(0);
    },
  };
}

async function winTurn(lock: LockBackend, origin: string, number: string): Promise<void> {
  for (;;) {
    const head = await lock.load(origin);
    if (head === undefined) throw new Error('no head after a swap');
    if (await lock.swap(origin, head, Buffer.concat([head, Buffer.from(number)]))) return;
  }
}
