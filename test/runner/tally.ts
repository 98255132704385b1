import type { TestCase, TestModule, TestSuite } from 'vitest/node';

export type Skip = { readonly test: string; readonly reason: string };
export type Tally = { readonly passed: number; readonly failed: number; readonly skips: readonly Skip[] };

/** Counts what vitest ran. A file or a group that could not run counts as one failure of its own: silence must not look like success. */
export function tallyOf(modules: readonly TestModule[], unhandledErrors: number): Tally {
  let passed = 0;
  let failed = unhandledErrors;
  const skips: Skip[] = [];
  for (const module of modules) {
    failed += brokenGroups(module);
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'failed') failed += 1;
      else skips.push({ test: nameOf(module, test), reason: reasonOf(test) });
    }
  }
  return { passed, failed, skips };
}

function brokenGroups(module: TestModule): number {
  const groups: readonly (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return groups.filter((group) => group.errors().length > 0).length;
}

function nameOf(module: TestModule, test: TestCase): string {
  return `${module.relativeModuleId} > ${test.fullName}`;
}

/** What was said to `context.skip`, or stands in the name of the test or its group, for what is decided before it runs: `(skipped: no root)`. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'pending') return 'was never reached';
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  return /\(skipped[^)]*\)/.test(test.fullName) ? 'as its name says' : 'no reason given';
}
