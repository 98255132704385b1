import { lockDataFolder } from '../index.ts';

/** Locks a data folder and waits to be killed: for tests. */
await lockDataFolder(process.argv[2] ?? '', { purpose: 'granary up' });
process.stdout.write('locked\n');
setInterval(() => undefined, 60_000);
