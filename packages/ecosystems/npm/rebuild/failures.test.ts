import { expect, it } from 'vitest';
import { classifyFailure } from './failures.ts';

// As the clients themselves said it, shortened: npm 12, pnpm 11, yarn 1 and 4, TypeScript, Node.
it.each([
  [
    'npm: a lock that is not of its package.json',
    'npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.\nnpm error Missing: shape@1.0.0 from lock file\n',
    'dependency-conflict',
  ],
  ['npm: no such tarball', 'npm error code E404\nnpm error 404 Not Found - GET http://127.0.0.1:3128/gone/-/gone-1.0.0.tgz\n', 'dependency-unavailable'],
  ['npm: no such version', 'npm error code ETARGET\nnpm error notarget No matching version found for shape@^7.0.0.\n', 'dependency-unavailable'],
  [
    'npm: other bytes',
    'npm warn tarball tarball data for shape@http://127.0.0.1:3128/shape/-/shape-1.0.0.tgz seems to be corrupted. Trying again.\nnpm error code EINTEGRITY\nnpm error sha512-Ag== integrity checksum failed when using sha512\n',
    'digest-mismatch',
  ],
  [
    'pnpm: a lock that is not of its package.json',
    '[ERR_PNPM_OUTDATED_LOCKFILE] Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json\n',
    'dependency-conflict',
  ],
  ['pnpm: no such package', '[ERR_PNPM_FETCH_404] GET http://127.0.0.1:3128/gone: Not Found - 404\n', 'dependency-unavailable'],
  ['pnpm: other bytes', '[ERR_PNPM_TARBALL_INTEGRITY] Got unexpected checksum for "http://127.0.0.1:3128/shape/-/shape-1.0.0.tgz".\n', 'digest-mismatch'],
  ['yarn 1: another lock', 'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.\n', 'dependency-conflict'],
  ['yarn 1: no such tarball', 'error Error: http://127.0.0.1:3128/gone/-/gone-1.0.0.tgz: Request failed "404 Not Found"\n', 'dependency-unavailable'],
  ['yarn 1: other bytes', 'error http://127.0.0.1:3128/shape/-/shape-1.0.0.tgz: Integrity check failed for "shape"\n', 'digest-mismatch'],
  ['yarn 4: another lock', '➤ YN0000: ┌ Post-resolution validation\n➤ YN0028: │ -  version: 8\n', 'dependency-conflict'],
  ['yarn 4: no such package', '➤ YN0035: │ gone@npm:1.0.0: Package not found\n➤ YN0035: │   Response Code: 404 (Not Found)\n', 'dependency-unavailable'],
  ['a compiler: an error in the code', "bad.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.\n", 'build-failed'],
  ['the shell: no such command', 'npm notice run git rev-parse HEAD\nsh: 1: git: not found\n', 'toolchain-missing'],
  ['Node: no memory left', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n', 'out-of-memory'],
  [
    'Node: no network',
    "TypeError: fetch failed\n  [cause]: Error: getaddrinfo ENOTFOUND files.example\n    errno: -3008,\n    code: 'ENOTFOUND',\n",
    'dependency-unavailable',
  ],
  ['nothing at all', '', 'build-failed'],
])('%s', (_, log, failureClass) => {
  expect(classifyFailure(log)).toBe(failureClass);
});

it('takes no longer for a log that is made to take long', () => {
  const startedAt = performance.now();

  classifyFailure(`${'sh: '.repeat(100_000)}\n${'npm error code '.repeat(30_000)}\n${'spawn a'.repeat(60_000)}`);

  expect(performance.now() - startedAt).toBeLessThan(2000);
});
