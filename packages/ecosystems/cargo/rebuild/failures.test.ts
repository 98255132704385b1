import { expect, it } from 'vitest';
import { classifyFailure } from './failures.ts';

// As cargo 1.85 says them.
it.each([
  ['error: no matching package named `oil` found\nlocation searched: `granary` index (which is replacing registry `crates-io`)\n', 'dependency-unavailable'],
  ['error: failed to select a version for the requirement `oil = "^2"`\ncandidate versions found which didn\'t match: 1.0.0\n', 'dependency-unavailable'],
  [
    'error: failed to select a version for `wick-sys`.\n... required by package `lamp v1.0.0`\npackage `wick-sys` links to the native library `wick`, but it conflicts with a previous package\n',
    'dependency-conflict',
  ],
  [
    'error: failed to parse manifest at `/work/tree/Cargo.toml`\n\nCaused by:\n  feature `x` is required\n\n  The package requires the Cargo feature called `x`\n',
    'toolchain-missing',
  ],
  [
    'error: failed to parse manifest\n\nCaused by:\n  failed to parse the `edition` key\n\nCaused by:\n  this version of Cargo is older than the `2027` edition\n',
    'toolchain-missing',
  ],
  [
    'error: failed to parse lock file at: /work/tree/Cargo.lock\n\nCaused by:\n  lock file version `9` was found, but this version of Cargo does not understand this lock file, perhaps Cargo needs to be updated?\n',
    'toolchain-missing',
  ],
  [
    'error: failed to get `oil` as a dependency of package `lamp v1.0.0`\n\nCaused by:\n  Unable to update https://forge.example/oil\n',
    'dependency-unavailable',
  ],
  ['tar: src/lib.rs: Cannot write: No space left on device\n', 'disk-full'],
  ['error: invalid inclusion of reserved file name .cargo_vcs_info.json in package source\n', 'build-failed'],
])('%j is %s', (log, failureClass) => {
  expect(classifyFailure(log)).toBe(failureClass);
});
