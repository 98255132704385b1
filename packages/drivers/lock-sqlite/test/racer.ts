import { raceForHead } from '@granary/contract/suites/race-for-head';
import { openSqliteLock } from '../index.ts';

const race = raceForHead();
await race.run(openSqliteLock({ file: race.where, busyTimeoutMs: 30_000 }));
