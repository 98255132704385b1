import { defineConfig } from 'vitest/config';

/** The heavy lanes, `*.lane.ts`, one at a time and by name: `npm run lane:kill`. `npm test` does not run them and says so. */
export default defineConfig({
  test: {
    include: ['{apps,packages,infra,test,bench}/**/*.lane.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    disableConsoleIntercept: true,
  },
});
