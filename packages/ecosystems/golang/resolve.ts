import { type AskUpstream, type CurrentDocument, EcosystemError } from '@granary/contract/ecosystem';
import type { Pin, Resolution } from '@granary/contract/ports';
import { type Purl, purlParts } from '@granary/core/model';
import { MAX_GO_MOD_BYTES } from './dirhash.ts';
import type { ModuleVersion } from './go-mod.ts';
import { type ModuleGraph, openModuleGraph } from './module-graph.ts';
import { artifactPath, escapeCase, fileNameOf, modulePurl } from './names.ts';
import { parseInfo } from './schema.ts';
import { addressOf } from './upstream.ts';
import { isVersion, newestVersion } from './versions.ts';

type Current = (packagePurl: Purl) => Promise<CurrentDocument | undefined>;

/** A requirement upon a requirement: no chain of upgrades is longer. */
const MAX_ROUNDS = 32;

/**
 * Exact versions for `path@version` lines, or `path` for its newest: minimal version selection, as a module that requires them would
 * have it once it is tidy. Whatever is only read to know the graph comes as `.mod`.
 */
export async function resolveModules(requirements: readonly string[], current: Current, upstream: AskUpstream): Promise<Resolution> {
  const wished: ModuleVersion[] = [];
  for (const requirement of requirements) {
    const [path = '', version = await newest(path, current, upstream)] = requirement.split('@', 2);
    if (version === undefined) return { ok: false, why: 'unavailable', detail: `${path}: upstream has no version of it` };
    wished.push({ path, version });
  }
  const graph = openModuleGraph(
    async ({ path, version }) => await upstream.fetch(addressOf(upstream.upstreamBase, artifactPath(path, version, 'mod')), MAX_GO_MOD_BYTES),
  );
  const build = await buildList(graph, wished);
  const missing = graph.missing();
  const none = requirements.filter((requirement) => missing.includes(requirement));
  if (none.length > 0) return { ok: false, why: 'no-such-version', detail: `upstream has no ${none.slice(0, 10).join(', ')}` };
  if (missing.length > 0) return { ok: false, why: 'unavailable', detail: `upstream has no go.mod of ${missing.slice(0, 10).join(', ')}` };
  const whole = new Set([...build].map(([path, version]) => `${path}@${version}`));
  const rest = graph.read().filter(({ path, version }) => !whole.has(`${path}@${version}`));
  return { ok: true, pins: [...[...build].map(([name, version]) => ({ name, version })), ...rest.map(graphPin)] };
}

/** What a build may take: the modules asked for and what they name, until no requirement of those raises one. */
async function buildList(graph: ModuleGraph, wished: readonly ModuleVersion[]): Promise<ReadonlyMap<string, string>> {
  let roots: ReadonlyMap<string, string> = new Map(wished.map(({ path, version }) => [path, version]));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const selected = await graph.select(roots);
    const named = await graph.named(wished.map(({ path, version }) => ({ path, version: selected.get(path) ?? version })));
    const next = new Map([...named].map((path) => [path, selected.get(path) ?? '']));
    if (next.size === roots.size && [...next].every(([path, version]) => roots.get(path) === version)) return next;
    roots = next;
  }
  throw new EcosystemError('unsupported', `resolve ${wished.map(({ path }) => path).join(', ')}: its versions don't settle`);
}

function graphPin({ path, version }: ModuleVersion): Pin {
  return { name: path, version, files: (['info', 'mod'] as const).map((kind) => ({ fileName: fileNameOf(version, kind), digests: {} })) };
}

async function newest(path: string, current: Current, upstream: AskUpstream): Promise<string | undefined> {
  const document = (await current(modulePurl(path)))?.document;
  const listed = newestVersion([...new Set(document?.artifacts.map(({ purl }) => purlParts(purl).version ?? '') ?? [])]);
  if (listed !== undefined) return listed;
  // A module that nobody tagged has no list, only a newest commit.
  const latest = await upstream.fetch(addressOf(upstream.upstreamBase, `${escapeCase(path)}/@latest`), 2 ** 20);
  const version = latest === undefined ? undefined : parseInfo(latest)?.version;
  return version !== undefined && isVersion(version) ? version : undefined;
}
