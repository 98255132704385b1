import type { BuildProposal, CompiledBuild, DefinitionPhase, RebuildSubject } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { compare, satisfies } from 'semver';
import { nameOf } from '../names.ts';
import { splitRequirement } from '../requirement.ts';
import { NODE } from '../toolchain.ts';
import { BUILD_SCRIPT, SCRIPT_FILE } from './build-script.ts';
import { COMPRESS_FILE, COMPRESS_SCRIPT } from './compress-script.ts';
import { Recipe } from './recipe.ts';
import { readSourceTree } from './source-tree.ts';
import { parseTool } from './tool-requirement.ts';

const WORK = '/work';
/** The sandbox's own loopback: forwarded to the mirror, which shows it as it was. */
const REGISTRY = 'http://127.0.0.1:3128/npm/';
const FETCH_TIMEOUT_MS = 10 * 60_000;
const BUILD_TIMEOUT_MS = 15 * 60_000;

/** Of npm, of which pnpm and yarn 1 read some. A lock's addresses are the mirror's, whatever they were (docs/clients.md). */
const NPM: Readonly<Record<string, string>> = {
  registry: REGISTRY,
  replace_registry_host: 'always',
  cache: '/tmp/cache',
  audit: 'false',
  fund: 'false',
  update_notifier: 'false',
  foreground_scripts: 'true',
  dangerously_allow_all_scripts: 'true',
};
/** Under npm's prefix until pnpm 10, under its own since pnpm 11. */
const PNPM: Readonly<Record<string, string>> = {
  registry: REGISTRY,
  // On the disk of the work dir, which links it: what lies in /tmp counts as memory.
  store_dir: `${WORK}/store`,
  manage_package_manager_versions: 'false',
  pm_on_fail: 'ignore',
  verify_deps_before_run: 'false',
};
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: `${WORK}/home`,
  TMPDIR: '/tmp',
  TZ: 'UTC',
  LC_ALL: 'C.UTF-8',
  CI: 'true',
  HUSKY: '0',
  ...prefixed('npm_config_', NPM),
  YARN_CACHE_FOLDER: '/tmp/yarn',
  YARN_ENABLE_GLOBAL_CACHE: 'false',
  YARN_ENABLE_TELEMETRY: '0',
  YARN_IGNORE_PATH: '1',
  YARN_NODE_LINKER: 'node-modules',
  YARN_NPM_REGISTRY_SERVER: REGISTRY,
  YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
};

/** What the script is told by, and what keeps it in its folders and at the mirror. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...[
    'PATH',
    'HOME',
    'TMPDIR',
    'REGISTRY',
    'SOURCE',
    'MANAGER',
    'TOOL',
    'PROJECT',
    'DIRECTORY',
    'PROJECT_SCRIPTS',
    'SCRIPTS',
    'PACK_SCRIPTS',
    'PACKER',
    'VERSION',
  ],
  ...['NODE', 'NODE_PACKAGE', 'NPM', 'ZLIB', 'LEVEL', 'SYSTEM', 'OURS', 'TREE', 'YARN_NPM_REGISTRY_SERVER', 'npm_config_registry'],
]);

/** Written into a definition: the script and, as its environment, what it is to do. */
export function compileBuild({ source, sourceBytes }: RebuildSubject, { settings }: BuildProposal, closure: readonly Artifact[]): CompiledBuild {
  const recipe = Recipe.parse(settings);
  const { manager, project, directory, projectScripts, scripts, packScripts, packer, version } = recipe;
  const committedAt = readSourceTree(sourceBytes)?.committedAt;
  const tool = exactTool(recipe.tool, closure);
  const env = {
    ...ENVIRONMENT,
    ...(manager === 'pnpm' ? prefixed(prefixOf(tool), PNPM) : {}),
    ...(committedAt === undefined ? {} : { SOURCE_DATE_EPOCH: String(committedAt) }),
    REGISTRY,
    SOURCE: source.fileName,
    MANAGER: manager,
    TOOL: tool,
    ...carried(recipe, closure),
    PROJECT: project,
    DIRECTORY: directory,
    PROJECT_SCRIPTS: projectScripts.join(' '),
    SCRIPTS: scripts.join(' '),
    PACK_SCRIPTS: packScripts ? 'yes' : 'no',
    PACKER: packer,
    VERSION: version,
  };
  const run = (name: 'fetch' | 'build', network: DefinitionPhase['network'], timeoutMs: number): DefinitionPhase => ({
    name,
    argv: ['/bin/sh', `${WORK}/${SCRIPT_FILE}`, name],
    env,
    network,
    timeoutMs,
  });
  const build = run('build', 'none', BUILD_TIMEOUT_MS);
  return {
    files: [{ path: SCRIPT_FILE, text: BUILD_SCRIPT }, ...(recipe.zlib === '' ? [] : [{ path: COMPRESS_FILE, text: COMPRESS_SCRIPT }])],
    phases: manager === 'none' && recipe.node === '' && recipe.zlib === '' ? [build] : [run('fetch', 'mirror', FETCH_TIMEOUT_MS), build],
    outputDir: 'out',
  };
}

function prefixed(prefix: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${prefix}${name}`, value]));
}

function prefixOf(pnpm: string): string {
  return satisfies(splitRequirement(pnpm).spec, '<11') ? 'npm_config_' : 'pnpm_config_';
}

/** Node, npm and a compressor of another day. */
function carried({ node, npm, zlib, level, system }: Recipe, closure: readonly Artifact[]): Readonly<Record<string, string>> {
  const exact = (requirement: string): string => {
    const tool = parseTool(requirement);
    return tool === undefined ? '' : exactTool(`${tool.name}@${tool.range}`, closure);
  };
  return { NODE_PACKAGE: NODE, NODE: exact(node), NPM: exact(npm), ZLIB: exact(zlib), LEVEL: String(level), SYSTEM: String(system) };
}

/** The newest release of it among what was mirrored for the build, which a range came to. */
function exactTool(tool: string, closure: readonly Artifact[]): string {
  if (tool === '') return '';
  const { name, spec } = splitRequirement(tool);
  const versions = closure.filter(({ purl }) => nameOf(purl) === name).map(({ purl }) => purlParts(purl).version ?? '');
  const [newest] = versions.filter((version) => satisfies(version, spec)).toSorted((a, b) => compare(b, a));
  return newest === undefined ? tool : `${name}@${newest}`;
}
