import { join } from 'node:path';
import { NODE } from '../as-launched.ts';
import { GIT_ENVIRONMENT } from './clean-git.ts';
import { type Measured, measured } from './measured.ts';
import { makeSite, mirrorOnce, siteEnvironment } from './site.ts';

export interface Mirrored {
  /** A whole `granary up --once`, and one that watches nothing. */
  readonly site: Measured;
  readonly nothing: Measured;
  /** Mirroring alone. */
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
  // First, as a site would have been started before: that fills the cache of compiled code.
  const nothing = await mirror('nothing', []);
  return {
    nothing,
    git: await clone('git'),
    granary: await measured([...NODE, join(import.meta.dirname, 'mirror-alone.ts'), join(folder, 'alone'), `${base}${name}`], siteEnvironment()),
    gitChecking: await clone('git-checking', '-c', 'fetch.fsckObjects=true'),
    site: await mirror('site', [name]),
  };
}
