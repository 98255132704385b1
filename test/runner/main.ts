// What `npm test` runs: the checks, then every test but the heavy lanes; the last line is the sum.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { runChecks } from './checks.ts';
import { type Lane, lanesOf } from './lanes.ts';
import { type Skip, type Tally, tallyOf } from './tally.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function runTests(filters: readonly string[]): Promise<Tally> {
  const vitest = await startVitest([...filters], { root, watch: false, reporters: ['default'] });
  const tally = tallyOf(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
  await vitest.close();
  return tally;
}

function sayWhatWasNotRun(lanes: readonly Lane[], skips: readonly Skip[]): void {
  console.log('\nNot run:');
  for (const lane of lanes) console.log(` - ${lane.command}: ${lane.shows}`);
  for (const skip of skips) console.log(` - ${skip.test}: ${skip.reason}`);
}

const checks = runChecks(root);
const tests = await runTests(process.argv.slice(2));
sayWhatWasNotRun(await lanesOf(root), tests.skips);
const failed = checks.failed + tests.failed;
// vitest sets an exit code of its own; the sum decides.
process.exitCode = failed === 0 ? 0 : 1;
console.log(`\n${checks.passed + tests.passed} passed, ${failed} failed, ${tests.skips.length} skipped`);
