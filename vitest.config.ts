import { defineConfig } from 'vitest/config';

/** Unit and contract tests of one part of the tree; `root` keeps the part's own folder out of every path it prints. */
const part = (name: string, folder: string) => ({
  extends: true as const,
  test: { name, include: [`${folder}/**/*.test.ts`] },
});

export default defineConfig({
  test: {
    projects: [
      part('core', 'packages/core'),
      part('contract', 'packages/contract'),
      part('config', 'packages/config'),
      part('ecosystems', 'packages/ecosystems'),
      part('drivers', 'packages/drivers'),
      part('stages', 'packages/stages'),
      part('apps', 'apps'),
      part('infra', 'infra'),
      part('bench', 'bench'),
      part('test', 'test'),
    ],
    // Real processes, files and sandboxes: two at a time is what the smallest machine carries.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
