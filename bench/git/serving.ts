import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GIT_ENVIRONMENT } from './clean-git.ts';
import { measured, processorSecondsOf, watchSandboxed } from './measured.ts';
import { quiet, type Server, type Site, serveByGit, serveSite } from './site.ts';

/** A clone, as its user sees it, and what it cost the server. */
export interface Cloned {
  readonly seconds: number;
  readonly processorSeconds: number;
}
export interface ServingRound {
  readonly granary: Cloned;
  readonly git: Cloned;
}
export interface Served {
  /** Right after the repository was taken in, before there is an index for serving. */
  readonly first: ServingRound;
  readonly warm: readonly ServingRound[];
}
interface ServingWish {
  readonly site: Site;
  /** A folder of bare repositories, in which git's own server finds the same one. */
  readonly served: string;
  readonly name: string;
  readonly folder: string;
  readonly rounds: number;
}

/** Clones of one repository from us and from git's own server, in turn, into the same folder. */
export async function serveRounds({ site, served, name, folder, rounds }: ServingWish): Promise<Served> {
  const granary = await serveSite(site);
  const peer = await serveByGit(served);
  try {
    const cloneFrom = async (server: Server, path: string): Promise<Cloned> => {
      const clone = join(folder, 'cloned.git');
      const before = processorSecondsOf(server.pid);
      const sandboxed = watchSandboxed(server.pid);
      const { seconds } = await measured(['git', 'clone', '--quiet', '--mirror', `${server.base}${path}`, clone], GIT_ENVIRONMENT);
      sandboxed.stop();
      const processorSeconds = processorSecondsOf(server.pid) - before + sandboxed.seconds();
      await rm(clone, { recursive: true });
      return { seconds, processorSeconds };
    };
    const round = async (): Promise<ServingRound> => ({ granary: await cloneFrom(granary, name), git: await cloneFrom(peer, `${name}.git`) });
    const first = await round();
    await quiet(granary.pid);
    const warm: ServingRound[] = [];
    while (warm.length < rounds) warm.push(await round());
    return { first, warm };
  } finally {
    await granary.stop();
    await peer.stop();
  }
}
