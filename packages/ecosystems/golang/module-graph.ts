import { EcosystemError } from '@granary/contract/ecosystem';
import { type GoMod, type ModuleVersion, parseGoMod } from './go-mod.ts';
import { compareVersions } from './versions.ts';

/** Which module requires which, read as far as a client reads it (`golang.org/ref/mod`, graph pruning). */
export interface ModuleGraph {
  /** The highest version of each module that the roots and what they require name. */
  select(roots: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>;
  /** The modules themselves and those that they name; of a module that names too little, all that follows from it. */
  named(modules: readonly ModuleVersion[]): Promise<ReadonlySet<string>>;
  /** Versions whose `go.mod` was read. */
  read(): readonly ModuleVersion[];
  /** Versions whose `go.mod` upstream doesn't have. */
  missing(): readonly string[];
}

const MAX_READ = 20_000;
const AT_ONCE = 16;

export function openModuleGraph(fetchGoMod: (version: ModuleVersion) => Promise<Uint8Array | undefined>): ModuleGraph {
  const known = new Map<string, { readonly version: ModuleVersion; readonly goMod: GoMod | undefined }>();
  const read = async (versions: readonly ModuleVersion[]): Promise<void> => {
    const unknown = [...new Map(versions.map((version) => [keyOf(version), version])).values()].filter((version) => !known.has(keyOf(version)));
    if (known.size + unknown.length > MAX_READ) throw new EcosystemError('unsupported', `a module graph of more than ${MAX_READ} versions`);
    for (let at = 0; at < unknown.length; at += AT_ONCE)
      await Promise.all(
        unknown.slice(at, at + AT_ONCE).map(async (version) => {
          const bytes = await fetchGoMod(version);
          known.set(keyOf(version), { version, goMod: bytes === undefined ? undefined : parseGoMod(bytes) });
        }),
      );
  };
  const goModOf = (version: ModuleVersion): GoMod => known.get(keyOf(version))?.goMod ?? { requires: [], pruned: true };

  /** Everything that is in the graph of these roots; below a root that isn't pruned nothing is. */
  const walk = async (roots: readonly ModuleVersion[]): Promise<readonly ModuleVersion[]> => {
    const seen: ModuleVersion[] = [...roots];
    const entered = new Set<string>();
    let level = roots.map((version) => ({ version, whole: false }));
    while (level.length > 0) {
      await read(level.map(({ version }) => version));
      const below = level.flatMap(({ version, whole }) => {
        const { requires, pruned } = goModOf(version);
        seen.push(...requires);
        return whole || !pruned ? requires.map((required) => ({ version: required, whole: true })) : [];
      });
      level = [...new Map(below.map((entry) => [keyOf(entry.version), entry])).values()].filter(({ version }) => !entered.has(keyOf(version)));
      for (const { version } of level) entered.add(keyOf(version));
    }
    return seen;
  };
  return {
    select: async (roots) => highest(await walk([...roots].map(([path, version]) => ({ path, version })))),
    named: async (modules) => new Set((await walk(modules)).map(({ path }) => path)),
    read: () => [...known.values()].filter(({ goMod }) => goMod !== undefined).map(({ version }) => version),
    missing: () => [...known].filter(([, { goMod }]) => goMod === undefined).map(([key]) => key),
  };
}

function highest(versions: readonly ModuleVersion[]): ReadonlyMap<string, string> {
  const selected = new Map<string, string>();
  for (const { path, version } of versions) {
    const known = selected.get(path);
    if (known === undefined || compareVersions(version, known) > 0) selected.set(path, version);
  }
  return selected;
}

function keyOf({ path, version }: ModuleVersion): string {
  return `${path}@${version}`;
}
