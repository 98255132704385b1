import { RepositoryError } from '@granary/contract/ports';
import { runGit } from './git-lines.ts';
import { type GitRunner, gitRunner } from './git-process.ts';
import { findGitTools } from './git-tools.ts';

/** Debian 12 has it; older ones know fewer messages of fsck, and make no bitmap over several packs. */
const OLDEST = [2, 39] as const;
const HOW_TO_ALLOW =
  'bubblewrap must be allowed to make namespaces: run as root, or set sysctl kernel.unprivileged_userns_clone=1 (and kernel.apparmor_restrict_unprivileged_userns=0 where it exists)';

/** The version of native git, run as it always is. Throws RepositoryError `unavailable` when it cannot run here or is too old; the message says how to mend that. */
export async function gitVersion(runner: GitRunner): Promise<string> {
  const [line = ''] = await runGit(runner, 'run git', { args: ['version'], places: [], timeoutMs: 30_000 }).catch((cause: unknown) => {
    throw new RepositoryError('unavailable', `${cause instanceof Error ? cause.message : String(cause)}; ${HOW_TO_ALLOW}`, { cause });
  });
  const [, version = '', major, minor] = /^git version ((\d+)\.(\d+)[0-9.]*)/.exec(line) ?? [];
  const isNew = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
  if (!isNew) throw new RepositoryError('unavailable', `run git: ${line.slice(0, 80)} is too old: ${OLDEST.join('.')} or newer is needed`);
  return version;
}

export type GitHost = { readonly ok: true; readonly version: string } | { readonly ok: false; readonly why: string };

/** Whether native git works on this machine. Changes nothing. */
export async function checkGitHost(): Promise<GitHost> {
  try {
    const runner = gitRunner({ tools: await findGitTools(), threads: 1, limits: { memoryBytes: 2 ** 30, fileBytes: 0, cpuSeconds: 30 } });
    return { ok: true, version: await gitVersion(runner) };
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    return { ok: false, why: error.message };
  }
}
