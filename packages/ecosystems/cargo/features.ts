import type { Dependency, Needs } from './schema.ts';

/** What is asked of a version: the features of it, or all that it has. */
export interface Asked {
  readonly features: ReadonlySet<string>;
  readonly everything: boolean;
}
/** A dependency that is needed, and which of its features. */
export interface Needed {
  readonly dependency: Dependency;
  readonly features: readonly string[];
}

/**
 * Dependencies that a version has with these features (the Cargo book, features). `name?/feature` counts as `name/feature`: cargo's lock takes
 * such a dependency in as well.
 */
export function neededBy({ dependencies, features }: Needs, asked: Asked): readonly Needed[] {
  const { active, ofDependency } = expand({ dependencies, features }, asked);
  return dependencies
    .filter(({ alias, optional }) => !optional || asked.everything || active.has(alias))
    .map((dependency) => ({
      dependency,
      features: [...dependency.features, ...(ofDependency.get(dependency.alias) ?? []), ...(dependency.defaultFeatures ? ['default'] : [])],
    }));
}

function expand({ dependencies, features }: Needs, asked: Asked) {
  const aliases = new Set(dependencies.map(({ alias }) => alias));
  const active = new Set<string>();
  const ofDependency = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const open = [...asked.features, ...(asked.everything ? features.keys() : [])];
  for (let feature = open.pop(); feature !== undefined; feature = open.pop()) {
    if (seen.has(feature)) continue;
    seen.add(feature);
    const [, alias = '', inner] = /^(?:dep:)?([^/?]+)\??(?:\/(.+))?$/.exec(feature) ?? [];
    const values = features.get(feature);
    if (values !== undefined) open.push(...values);
    else if (aliases.has(alias)) {
      active.add(alias);
      if (inner !== undefined) {
        ofDependency.set(alias, (ofDependency.get(alias) ?? new Set()).add(inner));
        // `name/feature` also turns on a feature called `name`.
        if (features.has(alias)) open.push(alias);
      }
    }
  }
  return { active, ofDependency };
}
