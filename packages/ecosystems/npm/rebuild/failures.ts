import type { FailureClass } from '@granary/core/model';

/** In this order: what is said first in the list explains what comes after it. npm, pnpm, yarn 1 and yarn 4 (`YN…`) by their own codes. */
const SIGNS: readonly (readonly [sign: RegExp, failureClass: FailureClass])[] = [
  [/ENOSPC|No space left on device/, 'disk-full'],
  [/JavaScript heap out of memory|ENOMEM|Cannot allocate memory/, 'out-of-memory'],
  [/npm (?:error|ERR!) code EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Integrity check failed for|YN0018:/, 'digest-mismatch'],
  [
    /`npm ci` can only install packages|npm (?:error|ERR!) code ERESOLVE|ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|LOCKFILE_BREAKING_CHANGE)|Your lockfile needs to be updated|YN0028:/,
    'dependency-conflict',
  ],
  [
    /npm (?:error|ERR!) code (?:E4\d\d|ETARGET|ENOVERSIONS|ECONN|ENOTFOUND|EAI_AGAIN)|ERR_PNPM_(?:FETCH_|NO_MATCHING_VERSION|META_FETCH)|Couldn't find (?:any versions|package)|Request failed "4\d\d|YN00(?:35|82):/,
    'dependency-unavailable',
  ],
  [/npm (?:error|ERR!) code EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|The engine "node" is incompatible|ERR_OSSL_EVP_UNSUPPORTED/, 'toolchain-missing'],
  [/(?:^|\n)(?:\/bin\/)?(?:sh|bash): (?:(?:line )?\d+: )?[\w.+-]+: (?:command )?not found|spawn [\w.+-]+ ENOENT|gyp ERR! find Python/, 'toolchain-missing'],
  [/getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|connect (?:ECONNREFUSED|ENETUNREACH)/, 'dependency-unavailable'],
];

/** Why a build that exited so failed, from the end of its log. */
export function classifyFailure(log: string): FailureClass {
  return SIGNS.find(([sign]) => sign.test(log))?.[1] ?? 'build-failed';
}
