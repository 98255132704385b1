import type { FailureClass } from '@granary/core/model';

/** In this order: what is said first in the list explains what comes after it. */
const SIGNS: readonly (readonly [sign: RegExp, failureClass: FailureClass])[] = [
  [/No space left on device|Disk quota exceeded/, 'disk-full'],
  [/Cannot allocate memory|memory allocation of \d+ bytes failed/, 'out-of-memory'],
  [
    /this version of Cargo is older than|lock file version .* was found, but this version of Cargo does not understand|feature `[^`]+` is required|requires rustc \d|unknown edition|rustc [\d.]+ is not supported/i,
    'toolchain-missing',
  ],
  [/links to the native library|all possible versions conflict|failed to select a version for `/, 'dependency-conflict'],
  [
    /no matching package named|failed to select a version for the requirement|candidate versions? found which didn't match|failed to load source for dependency|unable to update|failed to get `[^`]+` as a dependency|failed to query replaced source/i,
    'dependency-unavailable',
  ],
  [
    /download of .* failed|failed to download|spurious network error|Couldn't connect to server|Could not resolve host|you're using offline mode/,
    'dependency-unavailable',
  ],
];

/** Why cargo exited so, from the end of its log. */
export function classifyFailure(log: string): FailureClass {
  return SIGNS.find(([sign]) => sign.test(log))?.[1] ?? 'build-failed';
}
