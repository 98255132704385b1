import { spawnSync } from 'node:child_process';

/** What is checked of every file before any test runs; each is a task of turbo.json, kept by it until a file changes. */
const CHECKS = [
  { task: 'lint', says: 'format and lint (biome)', mend: '`npm run fix` mends what can be mended by a machine' },
  { task: 'typecheck', says: 'types (tsc)', mend: undefined },
  { task: 'unused', says: 'unused files, exports and dependencies (knip)', mend: undefined },
] as const;

/** Runs every check, shows what the failing ones print, and returns how many passed and failed. */
export function runChecks(root: string): { readonly passed: number; readonly failed: number } {
  const failed = CHECKS.filter(({ task, says, mend }) => {
    const isGood = spawnSync('turbo', ['run', task, '--output-logs=errors-only', '--log-prefix=none'], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
    if (isGood.status === 0) {
      console.log(` ✓ ${says}`);
      return false;
    }
    console.log(`${isGood.stdout}${isGood.stderr}${isGood.error?.message ?? ''}`);
    console.log(` ✗ ${says}${mend === undefined ? '' : `: ${mend}`}`);
    return true;
  }).length;
  return { passed: CHECKS.length - failed, failed };
}
