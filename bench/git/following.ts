import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serveGit } from '@granary/services';
import { GIT_ENVIRONMENT, git } from './clean-git.ts';
import { measured } from './measured.ts';
import { makeSite, mirrorOnce, siteEnvironment } from './site.ts';

/** Bytes that the server sent, to us and to `git fetch`. */
export interface Followed {
  readonly step: string;
  /** Else only refs were listed, or everything was sent. */
  readonly brings: 'what is new' | 'something else';
  readonly granary: number;
  readonly git: number;
}
interface Histories {
  /** Where upstream begins, where it goes on to, and what it is rewritten to. */
  readonly first: string;
  readonly next: string;
  readonly forced: string;
  readonly after: string;
}
interface Followers {
  readonly served: string;
  readonly from: string;
  readonly folder: string;
}

const BRANCH = 'refs/heads/main';
const NAME = 'owner/followed';

/** Follows the main line of a repository, from 400 commits ago, through new commits and two force-pushes, of which upstream forgets the second's past. */
export async function follow(from: string, folder: string): Promise<readonly Followed[]> {
  const served = join(folder, 'served', `${NAME}.git`);
  const { first, next, forced, after } = await historiesOf(from);
  await mkdir(dirname(served), { recursive: true });
  await publish({ served, from, folder }, first);
  await using upstream = await opened(join(folder, 'served'));
  const site = await makeSite(join(folder, 'site'), { base: upstream.base, names: [NAME] });
  const clone = join(folder, 'clone.git');
  const counted = async (argv: readonly string[], env: Readonly<Record<string, string>>) => {
    const before = upstream.bytesSent();
    await measured(argv, env);
    return upstream.bytesSent() - before;
  };
  const both = async (step: string, fetch: readonly string[], brings: Followed['brings'] = 'what is new'): Promise<Followed> => ({
    step,
    brings,
    granary: await counted(mirrorOnce(site), siteEnvironment()),
    git: await counted(fetch, GIT_ENVIRONMENT),
  });
  const fetch = ['git', '-C', clone, 'fetch', '--quiet', 'origin'];
  const rows = [await both('the first time', ['git', 'clone', '--quiet', '--mirror', `${upstream.base}${NAME}.git`, clone], 'something else')];
  rows.push(await both('nothing new', fetch, 'something else'));
  await move({ served, from }, next);
  rows.push(await both('350 commits later', fetch));
  await move({ served, from }, forced);
  rows.push(await both('force-push', fetch));
  await publish({ served, from, folder }, after);
  rows.push(await both('force-push, upstream forgot what was', fetch));
  return rows;
}

async function historiesOf(from: string): Promise<Histories> {
  const line = (await git('-C', from, 'rev-list', '--first-parent', '--max-count=401', 'HEAD')).split('\n');
  const at = (back: number): string => line[Math.min(back, line.length - 1)] ?? '';
  const commit = (tree: string, parent: string, message: string) => git('-C', from, 'commit-tree', `${tree}^{tree}`, '-p', parent, '-m', message);
  const forced = await commit(at(20), at(100), 'rewritten');
  return { first: at(400), next: at(50), forced, after: await commit(at(0), at(120), 'rewritten again') };
}

/** Upstream goes on, and has everything still. */
async function move({ served, from }: Pick<Followers, 'served' | 'from'>, commit: string): Promise<void> {
  await git('-C', served, 'fetch', '--quiet', '--no-tags', from, `+${commit}:${BRANCH}`);
}

/** A repository with this commit, what it reaches, and nothing else. */
async function publish({ served, from, folder }: Followers, commit: string): Promise<void> {
  const fresh = join(folder, 'fresh.git');
  await git('init', '--quiet', '--bare', '--initial-branch=main', fresh);
  await git('-C', fresh, 'config', 'gc.auto', '0');
  await move({ served: fresh, from }, commit);
  await rm(served, { recursive: true, force: true });
  await rename(fresh, served);
}

async function opened(root: string) {
  const upstream = await serveGit(root);
  return { ...upstream, [Symbol.asyncDispose]: upstream.close };
}
