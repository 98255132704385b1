import { neededBy } from '../features.ts';
import { isCrateName, isVersion } from '../names.ts';
import { parseRequirement } from '../requirement.ts';
import type { Needs } from '../schema.ts';

/** One thing that cargo looks up before it packs. */
export type BuildRequirement =
  /** As a lock names it: this version, whatever that needs in its turn. */
  | { readonly type: 'locked'; readonly name: string; readonly version: string; readonly isOptional: boolean }
  /** As a manifest asks for it, with these features. */
  | { readonly type: 'asked'; readonly name: string; readonly requirement: string; readonly features: readonly string[] };

/** Of a package with all its features on, which is how cargo locks what it packs. Without what no registry can have. */
export function requirementsOf(needs: Needs): readonly string[] {
  const asked = neededBy(needs, { features: new Set(['default']), everything: true }).flatMap(({ dependency: { name, requirement }, features }) =>
    isCrateName(name) && parseRequirement(requirement) !== undefined ? [`${name} ${requirement.trim()} [${[...new Set(features)].sort().join(' ')}]`] : [],
  );
  return [...new Set(asked)].sort();
}

export function lockedRequirement({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** The same, to be had where it is: one more version that cargo may choose. */
export function offeredRequirement(pin: { readonly name: string; readonly version: string }): string {
  return `${lockedRequirement(pin)}?`;
}

/** Undefined for what none of these writes. */
export function parseBuildRequirement(text: string): BuildRequirement | undefined {
  const [, lockedName, version, mark] = /^([^\s@]+)@([^\s?]+)(\?)?$/.exec(text) ?? [];
  if (lockedName !== undefined && version !== undefined)
    return isCrateName(lockedName) && isVersion(version) ? { type: 'locked', name: lockedName, version, isOptional: mark !== undefined } : undefined;
  const [, name = '', requirement = '', features = ''] = /^(\S+) ([^[\]]+) \[([^[\]]*)\]$/.exec(text) ?? [];
  if (!isCrateName(name) || parseRequirement(requirement) === undefined) return undefined;
  return { type: 'asked', name, requirement, features: features === '' ? [] : features.split(' ') };
}
