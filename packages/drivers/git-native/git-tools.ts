import { access, constants, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RepositoryError } from '@granary/contract/ports';

/** Absolute paths: no search path of ours or of anybody else decides what runs. */
export interface GitTools {
  readonly git: string;
  readonly bwrap: string;
  readonly prlimit: string;
  readonly nice: string;
}

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin'];

/** Debian packages that this machine lacks for native git. */
export async function missingGitPackages(): Promise<readonly string[]> {
  const [git, bubblewrap, prlimit, nice] = await Promise.all([find('git'), find('bwrap'), find('prlimit'), find('nice')]);
  return Object.entries({ git, bubblewrap, 'util-linux': prlimit, coreutils: nice }).flatMap(([name, path]) => (path === undefined ? [name] : []));
}

/** Throws RepositoryError `unavailable` with the Debian packages to install. */
export async function findGitTools(given?: string): Promise<GitTools> {
  const [git, bwrap, prlimit, nice] = await Promise.all([given === undefined ? find('git') : givenGit(given), find('bwrap'), find('prlimit'), find('nice')]);
  if (git !== undefined && bwrap !== undefined && prlimit !== undefined && nice !== undefined) return { git, bwrap, prlimit, nice };
  const missing = (await missingGitPackages()).join(' ');
  throw new RepositoryError('unavailable', `run git: not installed: ${missing}: apt-get install -y --no-install-recommends ${missing}`);
}

/** Folders that git's own programs and libraries lie in, to be seen in its namespace. */
export function foldersOf({ git }: GitTools): readonly string[] {
  return git.startsWith('/usr/') ? [] : [dirname(dirname(git))];
}

async function givenGit(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || !(await isExecutable(real))) throw new RepositoryError('unavailable', `run git: ${path} is not a program; name another`);
  return real;
}

async function find(tool: string): Promise<string | undefined> {
  for (const folder of FOLDERS) if (await isExecutable(`${folder}/${tool}`)) return await realpath(`${folder}/${tool}`);
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
