import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { cargo } from '@granary/ecosystem-cargo';
import { golang } from '@granary/ecosystem-golang';
import { npm } from '@granary/ecosystem-npm';
import { pypi } from '@granary/ecosystem-pypi';
import type { JsClient } from '../machine/js-clients.ts';
import { makeCargoHome } from './cargo-home.ts';
import { makeGoHome } from './go-home.ts';
import type { Island } from './island.ts';
import { makeJsHome, settingsFor } from './js-home.ts';
import { makeHome } from './python-home.ts';
import type { Ran } from './run.ts';

/** An application with empty caches on the island, and what its mirror's doctor tells users to run. */
export interface Installation {
  readonly island: Island;
  /** Where users' homes are made. */
  readonly folder: string;
  /** The line of doctor's that begins so. */
  readonly remedy: (begin: string) => string;
}
/** How a kind of lock is installed exactly as it is, running nothing of the application's own. */
interface FrozenInstall {
  readonly client: string;
  readonly releases: number;
  install(locked: LockedApplication, at: Installation): Promise<Ran>;
}
/** A lock in a copy of an application: its manifests lie around it. */
interface LockedApplication {
  readonly application: string;
  readonly lock: string;
}

/** By what the lock is called and how it begins; undefined where no client of ours reads it. */
export function frozenInstallOf(lock: string): FrozenInstall | undefined {
  const bytes = readFileSync(lock);
  const name = basename(lock);
  const known = KINDS.find(({ matches, begins }) => matches.test(name) && (begins === undefined || begins.test(bytes.toString('utf8', 0, 4096))));
  if (known === undefined) return undefined;
  const wish = [npm, pypi, cargo, golang].find(({ demand }) => demand.isLockfile(lock))?.demand.wishOfLockfile(lock, bytes);
  return { client: known.client, releases: wish?.type === 'pins' ? wish.pins.length : 0, install: known.install };
}

interface Kind extends Omit<FrozenInstall, 'releases'> {
  readonly matches: RegExp;
  readonly begins?: RegExp;
}

const KINDS: readonly Kind[] = [
  { matches: /^(package-lock|npm-shrinkwrap)\.json$/, client: 'npm ci', install: byJs('npm11', () => 'npm ci --ignore-scripts --no-audit') },
  { matches: /^pnpm-lock\.yaml$/, client: 'pnpm install', install: byJs('pnpm', () => 'pnpm install --frozen-lockfile --ignore-scripts') },
  { matches: /^yarn\.lock$/, begins: /^__metadata:/m, client: 'yarn 4', install: byJs('yarn4', () => 'yarn install --immutable --mode=skip-build') },
  {
    matches: /^yarn\.lock$/,
    client: 'yarn 1',
    install: byJs('yarn1', ({ remedy }) => remedy('cp yarn.lock').replace('--frozen-lockfile', '--frozen-lockfile --ignore-scripts')),
  },
  { matches: /^Cargo\.lock$/, client: 'cargo fetch', install: cargoFetch },
  { matches: /^go\.sum$/, client: 'go mod download', install: goModDownload },
  { matches: /^uv\.lock$/, client: 'uv', install: uvSync },
  { matches: /\.txt$/, client: 'pip install', install: pipInstall },
];

function byJs(client: JsClient, line: (at: Installation) => string): FrozenInstall['install'] {
  return async (locked, at) => {
    const settings = { ...settingsFor(client, `${at.island.address}/npm/`), YARN_ENABLE_HARDENED_MODE: '0' };
    const home = await makeJsHome(at.folder, { client, runner: at.island.run, settings });
    return await home.shell(line(at), placeIn(home.take(locked.application), locked));
  };
}

async function cargoFetch(locked: LockedApplication, { island, folder }: Installation): Promise<Ran> {
  const home = makeCargoHome(folder, { index: `${island.address}/cargo/`, runner: island.run });
  const project = placeIn(home.take(locked.application), locked);
  // Compilers are rustup's, which no registry of packages has: the one that is installed does.
  for (const name of ['rust-toolchain.toml', 'rust-toolchain']) rmSync(join(project, name), { force: true });
  return await home.cargo(['fetch', '--locked'], project);
}

async function goModDownload(locked: LockedApplication, { island, folder }: Installation): Promise<Ran> {
  const home = makeGoHome(folder, { proxy: `${island.address}/golang`, runner: island.run });
  const project = placeIn(home.take(locked.application), locked);
  const downloaded = await home.go(['mod', 'download'], project);
  return downloaded.code === 0 ? await home.go(['mod', 'verify'], project) : downloaded;
}

/** The remedy for locks that carry addresses: what uv exports has versions and digests alone. */
async function uvSync(locked: LockedApplication, { island, folder, remedy }: Installation): Promise<Ran> {
  const home = await makeHome(folder, { runner: island.run, settings: { UV_DEFAULT_INDEX: `${island.address}/pypi/simple/` } });
  return await home.shell(remedy('uv export'), placeIn(home.take(locked.application), locked));
}

async function pipInstall({ lock }: LockedApplication, { island, folder }: Installation): Promise<Ran> {
  const home = await makeHome(folder, { runner: island.run, settings: { PIP_INDEX_URL: `${island.address}/pypi/simple/` } });
  return await home.pip('install', '--require-hashes', '-r', lock);
}

/** The folder of the lock, in a user's copy. */
function placeIn(copy: string, { application, lock }: LockedApplication): string {
  return join(copy, relative(application, dirname(lock)));
}
