import { raceForHead } from '@granary/contract/suites/race-for-head';
import { openPostgresLock } from '../index.ts';

const race = raceForHead();
await race.run(await openPostgresLock({ url: race.where }));
