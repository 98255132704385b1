import { EcosystemError, readToml } from '@granary/contract/ecosystem';
import { z } from 'zod';
import type { Dependency, Needs } from '../schema.ts';

const MAX_MANIFEST_BYTES = 512 * 1024;
const MAX_DEPENDENCIES = 5000;
const Names = z.array(z.string().max(256)).max(10_000);

const Detailed = z.object({
  version: z.string().max(1024).optional(),
  package: z.string().max(64).optional(),
  features: Names.default([]),
  'default-features': z.boolean().optional(),
  default_features: z.boolean().optional(),
  optional: z.boolean().default(false),
  path: z.string().max(4096).optional(),
  git: z.string().optional(),
  registry: z.string().optional(),
  'registry-index': z.string().optional(),
  workspace: z.boolean().optional(),
});
const Dependencies = z
  .record(
    z.string().max(64),
    z.union([
      z
        .string()
        .max(1024)
        .transform((version) => Detailed.parse({ version })),
      Detailed,
    ]),
  )
  .refine((table) => Object.keys(table).length <= MAX_DEPENDENCIES)
  .default({});
/** The underscores are older spellings. */
const Tables = z.object({
  dependencies: Dependencies,
  'dev-dependencies': Dependencies,
  dev_dependencies: Dependencies,
  'build-dependencies': Dependencies,
  build_dependencies: Dependencies,
});
const Manifest = Tables.extend({
  package: z.object({ name: z.string().max(64), workspace: z.string().max(4096).optional() }).optional(),
  features: z.record(z.string(), Names).default({}),
  target: z.record(z.string(), Tables).default({}),
  workspace: z
    .object({
      members: z.array(z.string().max(4096)).max(1000).default([]),
      exclude: z.array(z.string().max(4096)).max(1000).default([]),
      dependencies: Dependencies,
    })
    .optional(),
});

/** What a Cargo.toml says of what its package needs, and of its workspace (the Cargo book, the manifest format). Untrusted. */
export type CargoManifest = Readonly<z.output<typeof Manifest>>;
type Declared = z.output<typeof Detailed>;

/** Undefined when it can't be read. */
export function parseCargoManifest(text: string): CargoManifest | undefined {
  if (text.length > MAX_MANIFEST_BYTES) return undefined;
  try {
    return readToml('Cargo.toml', text, Manifest);
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** A dependency, with what its workspace says of it. */
export interface DeclaredDependency {
  readonly alias: string;
  readonly declared: Declared;
}

/** Of all kinds and for all platforms: cargo's lock takes them all in. */
export function declaredDependencies(manifest: CargoManifest, workspace: CargoManifest | undefined): readonly DeclaredDependency[] {
  const inherited = workspace?.workspace?.dependencies ?? {};
  return [manifest, ...Object.values(manifest.target)].flatMap((tables) =>
    [tables.dependencies, tables['dev-dependencies'], tables.dev_dependencies, tables['build-dependencies'], tables.build_dependencies].flatMap((table) =>
      Object.entries(table).map(([alias, declared]) => ({
        alias,
        declared: declared.workspace === true ? inherit(declared, Object.hasOwn(inherited, alias) ? inherited[alias] : undefined) : declared,
      })),
    ),
  );
}

/** Features add up; everything else is as the workspace has it (the Cargo book, inheriting a dependency). */
function inherit(declared: Declared, from: Declared | undefined): Declared {
  return from === undefined ? declared : { ...from, optional: declared.optional, features: [...from.features, ...declared.features] };
}

/**
 * What cargo looks up in the registry once a package is packed: paths are left out where there is a version, and those of development that have none are dropped. `paths`: whether
 * what lies beside it in the repository comes from the registry, as for a package that is packed, or doesn't, as for the others of its workspace.
 */
export function registryNeeds(manifest: CargoManifest, workspace: CargoManifest | undefined, paths: 'registry' | 'local'): Needs {
  const isListed = ({ declared }: DeclaredDependency) =>
    declared.version !== undefined &&
    declared.registry === undefined &&
    declared['registry-index'] === undefined &&
    (declared.path === undefined || paths === 'registry');
  const dependencies = declaredDependencies(manifest, workspace)
    .filter(isListed)
    .map(
      ({ alias, declared }): Dependency => ({
        alias,
        name: declared.package ?? alias,
        requirement: declared.version ?? '*',
        features: declared.features,
        defaultFeatures: declared['default-features'] ?? declared.default_features ?? true,
        optional: declared.optional,
        elsewhere: false,
      }),
    );
  return { dependencies, features: new Map(Object.entries(manifest.features)) };
}
