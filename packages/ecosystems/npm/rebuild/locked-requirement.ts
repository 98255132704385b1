import type { LockedPin } from '@granary/contract/ecosystem';
import type { Digests } from '@granary/core/model';
import { isVersion } from '../names.ts';
import { splitRequirement } from '../requirement.ts';

/** A release that a lock names, as a requirement: `name@1.2.3 sha512:…`. */
export interface LockedRequirement {
  readonly name: string;
  readonly version: string;
  /** Any of them will do; none, where the lock states none. */
  readonly digests: readonly Digests[];
  /** `if-it-runs`: the client doesn't install what says that it is of another platform. */
  readonly platform: 'any' | 'if-it-runs';
}

const IF_IT_RUNS = 'if-it-runs';
const ALGORITHMS = ['sha512', 'sha384', 'sha1'] as const;

export function formatLocked({ name, version, digests }: LockedPin, platform: LockedRequirement['platform']): string {
  const stated = digests.flatMap((digest) => [
    ...(digest.sha256 === undefined ? [] : [`sha256:${digest.sha256}`]),
    ...ALGORITHMS.flatMap((name) => (digest[name] === undefined ? [] : [`${name}:${digest[name]}`])),
  ]);
  return [`${name}@${version}`, ...stated, ...(platform === 'any' ? [] : [IF_IT_RUNS])].join(' ');
}

/** Undefined for a range. */
export function parseLocked(requirement: string): LockedRequirement | undefined {
  const [release = '', ...words] = requirement.split(' ');
  const { name, spec } = splitRequirement(release);
  const digests = words.filter((word) => word !== IF_IT_RUNS).map(digestOf);
  const isStated = digests.every((digest) => digest !== undefined);
  if (!isVersion(spec) || !isStated) return undefined;
  return { name, version: spec, digests: digests.filter((digest) => digest !== undefined), platform: words.includes(IF_IT_RUNS) ? IF_IT_RUNS : 'any' };
}

function digestOf(word: string): Digests | undefined {
  const [, algorithm, hex] = /^(sha512|sha384|sha256|sha1):([0-9a-f]{40,128})$/.exec(word) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : { [algorithm]: hex };
}
