import { join } from 'node:path';
import { GIT_ENVIRONMENT } from './clean-git.ts';
import { type Measured, measured } from './measured.ts';
import { makeSite, mirrorOnce, siteEnvironment } from './site.ts';

export interface Mirrored {
  /** A site that watches nothing. */
  readonly nothing: Measured;
  readonly granary: Measured;
  readonly git: Measured;
  /** `git clone --mirror` that checks objects as we do, which git doesn't unless it is told to. */
  readonly gitChecking: Measured;
}
export interface MirrorWish {
  readonly base: string;
  readonly name: string;
  readonly folder: string;
}

/** Takes the same repository in once, in each way, into folders of their own. */
export async function mirrorRound({ base, name, folder }: MirrorWish): Promise<Mirrored> {
  const clone = (into: string, ...settings: readonly string[]) =>
    measured(['git', ...settings, 'clone', '--quiet', '--mirror', `${base}${name}.git`, join(folder, into)], GIT_ENVIRONMENT);
  const mirror = async (into: string, names: readonly string[]) =>
    await measured(mirrorOnce(await makeSite(join(folder, into), { base, names })), siteEnvironment());
  return {
    git: await clone('git'),
    granary: await mirror('granary', [name]),
    gitChecking: await clone('git-checking', '-c', 'fetch.fsckObjects=true'),
    nothing: await mirror('nothing', []),
  };
}
