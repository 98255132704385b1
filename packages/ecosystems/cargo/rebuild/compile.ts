import type { BuildProposal, CompiledBuild, DefinitionPhase, RebuildSubject } from '@granary/contract/ecosystem';
import { BUILD_SCRIPT, COMMIT_FILE, LOCK_FILE, SCRIPT_FILE } from './build-script.ts';
import { crateName } from './commits.ts';
import { readCrateEvidence } from './crate-evidence.ts';
import { Recipe } from './recipe.ts';

const WORK = '/work';
/** The sandbox's own loopback: forwarded to the mirror, which shows it as it was. */
const INDEX = 'http://127.0.0.1:3128/cargo/';
const FETCH_TIMEOUT_MS = 5 * 60_000;
const BUILD_TIMEOUT_MS = 5 * 60_000;

/** What the script is told by, and what keeps it in its folders and at the mirror. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'TMPDIR', 'CARGO_HOME', 'SOURCE', 'NAME', 'CRATE', 'DIRECTORY', 'ROOT', 'COMMIT', 'OBJECT_FORMAT', 'VERSION_CONTROL', 'LOCK', 'INDEX'],
]);

/** Written into a definition: the script, the commit that it is to find, and the lock where one is put in place. */
export function compileBuild({ target, published, source, commitObject }: RebuildSubject, { settings }: BuildProposal): CompiledBuild {
  const { lock, root, versionControl } = Recipe.parse(settings);
  const commit = source.kind === 'commit' ? source.commit : '';
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: `${WORK}/home`,
    CARGO_HOME: `${WORK}/cargo`,
    CARGO_TERM_COLOR: 'never',
    TMPDIR: '/tmp',
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    ...GIT_ENVIRONMENT,
    SOURCE: source.fileName,
    NAME: crateName(target),
    CRATE: target.fileName,
    DIRECTORY: source.kind === 'commit' ? (source.directory ?? '.') : '.',
    ROOT: root === '' ? '.' : root,
    COMMIT: commit,
    OBJECT_FORMAT: commit.length === 64 ? 'sha256' : 'sha1',
    VERSION_CONTROL: versionControl,
    LOCK: lock,
    INDEX,
  };
  const run = (name: 'fetch' | 'build', network: DefinitionPhase['network'], timeoutMs: number): DefinitionPhase => {
    return { name, argv: ['/bin/sh', `${WORK}/${SCRIPT_FILE}`, name], env, network, timeoutMs };
  };
  return {
    files: [
      { path: SCRIPT_FILE, text: BUILD_SCRIPT },
      { path: COMMIT_FILE, text: Buffer.from(commitObject ?? new Uint8Array()).toString('base64') },
      ...(lock === 'published' ? [{ path: LOCK_FILE, text: readCrateEvidence(target.fileName, published)?.lock ?? '' }] : []),
    ],
    phases: [run('fetch', 'mirror', FETCH_TIMEOUT_MS), run('build', 'none', BUILD_TIMEOUT_MS)],
    outputDir: 'out',
  };
}

/** No settings of any user, nobody asked, and one name for the commit that is made where the commit's own tree can't be. */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'source',
  GIT_AUTHOR_EMAIL: 'source@localhost',
  GIT_COMMITTER_NAME: 'source',
  GIT_COMMITTER_EMAIL: 'source@localhost',
  GIT_AUTHOR_DATE: '2000-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2000-01-01T00:00:00Z',
} as const;
