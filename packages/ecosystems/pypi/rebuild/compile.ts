import type { BuildProposal, CompiledBuild, DefinitionPhase, RebuildSource, RebuildSubject } from '@granary/contract/ecosystem';
import { type Artifact, type PinnedArtifact, pinned, purlParts } from '@granary/core/model';
import { BUILD_SCRIPT, PLAN_FILE, REQUIREMENTS_FILE, SCRIPT_FILE } from './build-script.ts';
import { type Produced, Recipe } from './recipe.ts';

const WORK = '/work';
/** The sandbox's own loopback: forwarded to the mirror, which shows it as it was. */
const INDEX = 'http://127.0.0.1:3128/pypi/simple/';
const FETCH_TIMEOUT_MS = 5 * 60_000;
const BUILD_TIMEOUT_MS = 15 * 60_000;

/** What tools that ask git for a version take instead: setuptools-scm and those on top of it, pbr, pdm, and the plugins of poetry and uv. */
const VERSION_VARIABLES = [
  'SETUPTOOLS_SCM_PRETEND_VERSION',
  'PBR_VERSION',
  'PDM_BUILD_SCM_VERSION',
  'POETRY_DYNAMIC_VERSIONING_BYPASS',
  'UV_DYNAMIC_VERSIONING_BYPASS',
];

/** What keeps the script in its folders. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set(['PATH', 'HOME', 'TMPDIR', 'PYTHONPATH', 'PYTHONHOME']);

/** Written into a definition: the script, its plan, and the exact closure as hashed requirements. */
export function compileBuild({ target, source }: RebuildSubject, { settings }: BuildProposal, closure: readonly Artifact[]): CompiledBuild {
  const produce = target.fileName.endsWith('.whl') ? 'wheel' : 'sdist';
  return compileRecipe({ produce, source, closure: closure.flatMap((artifact) => pinned(artifact) ?? []) }, Recipe.parse(settings));
}

export interface Build {
  readonly produce: Produced | 'metadata';
  readonly source: Pick<RebuildSource, 'kind' | 'fileName'>;
  readonly closure: readonly PinnedArtifact[];
}

export function compileRecipe({ produce, source, closure }: Build, recipe: Recipe): CompiledBuild {
  const { epoch, timeZone, hashSeed, pretendVersion, ...rest } = recipe;
  const plan = { ...rest, produce, source: source.fileName, checkout: source.kind === 'commit', index: INDEX };
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: `${WORK}/home`,
    TMPDIR: '/tmp',
    TZ: timeZone,
    LC_ALL: 'C.UTF-8',
    PYTHONHASHSEED: hashSeed,
    PYTHONDONTWRITEBYTECODE: '1',
    CI: '1',
    ...(epoch === '' ? {} : { SOURCE_DATE_EPOCH: epoch }),
    ...(pretendVersion === '' ? {} : Object.fromEntries(VERSION_VARIABLES.map((name) => [name, pretendVersion]))),
  };
  const run = (name: 'fetch' | 'build', network: DefinitionPhase['network'], timeoutMs: number): DefinitionPhase => {
    return { name, argv: ['/usr/bin/python3', `${WORK}/${SCRIPT_FILE}`, name], env, network, timeoutMs };
  };
  return {
    files: [
      { path: SCRIPT_FILE, text: BUILD_SCRIPT },
      { path: PLAN_FILE, text: `${JSON.stringify(plan, null, 1)}\n` },
      { path: REQUIREMENTS_FILE, text: hashedRequirements(closure) },
    ],
    phases: [run('fetch', 'mirror', FETCH_TIMEOUT_MS), run('build', 'none', BUILD_TIMEOUT_MS)],
    outputDir: 'out',
  };
}

/** One line per project with a digest for each of its files, as `--require-hashes` wants it; sorted, so that a closure has one form. */
function hashedRequirements(closure: readonly PinnedArtifact[]): string {
  const lines = new Map<string, string[]>();
  for (const { purl, sha256 } of closure) {
    const { name, version } = purlParts(purl);
    const line = `${name}==${version ?? ''}`;
    lines.set(line, [...(lines.get(line) ?? []), sha256]);
  }
  return [...lines]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([line, digests]) =>
        `${line}${digests
          .toSorted()
          .map((digest) => ` --hash=sha256:${digest}`)
          .join('')}\n`,
    )
    .join('');
}
