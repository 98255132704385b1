import { raceForHead } from '@granary/contract/suites/race-for-head';
import { openS3Lock } from '../index.ts';

const race = raceForHead();
await race.run(await openS3Lock(JSON.parse(race.where)));
