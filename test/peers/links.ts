import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { golang } from '@granary/ecosystem-golang';
import { npm } from '@granary/ecosystem-npm';
import { pypi } from '@granary/ecosystem-pypi';
import { makeGoHome } from '../clients/go-home.ts';
import { makeJsHome, settingsFor } from '../clients/js-home.ts';
import { makeHome } from '../clients/python-home.ts';
import { mustRun, type Ran, type RunOptions } from '../clients/run.ts';
import { indexOfDevpi, startDevpi } from './devpi.ts';
import { startGoProxy } from './go-proxy.ts';
import type { Peer, PeerPlace } from './peer.ts';
import { startVerdaccio } from './verdaccio.ts';

type Runner = (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
/** A user's folder, and the registry that the user is told. */
interface UserOf {
  readonly folder: string;
  readonly registry: string;
  readonly runner?: Runner;
}
/** A link of a chain of registries: software that stands before another one, and a product that is installed through it. */
export interface Link {
  readonly peer: string;
  readonly ecosystem: 'npm' | 'pypi' | 'golang';
  /** Of the product, as it is watched. */
  readonly lockfile: string;
  /** What must have come through the peer as well: the check that it makes possible. */
  readonly proof: string;
  start(place: PeerPlace): Promise<Peer>;
  /** Where clients find the registry that a peer stands for, in front of a mirror at an address where there is one. */
  registryOf(peer: Peer, mirror?: string): string;
  /** Where a mirror at an address has it. */
  registryAt(mirror: string): string;
  /** The true one, as this machine's package manager knows it. */
  trueRegistry(): Promise<string>;
  /** Makes the product with its lock in the folder. */
  lock(product: string, user: UserOf): Promise<void>;
  /** Installs a copy of the product exactly as it is locked, on empty caches. */
  install(product: string, user: UserOf): Promise<Ran>;
}

export const verdaccio: Link = {
  peer: 'Verdaccio',
  ecosystem: 'npm',
  lockfile: 'package-lock.json',
  proof: 'index-sha512',
  start: startVerdaccio,
  registryOf: ({ address }) => `${address}/`,
  registryAt: (mirror) => `${mirror}/npm/`,
  trueRegistry: async () => npm.discovery.parse((await mustRun(npm.discovery.argv)).said)?.index ?? '',
  async lock(product, { folder, registry }) {
    mkdirSync(product, { recursive: true });
    const dependencies = { express: '^5', '@babel/core': '^7', esbuild: '^0.25', 'old-mime': 'npm:mime@^3' };
    writeFileSync(join(product, 'package.json'), JSON.stringify({ name: 'chained', version: '1.0.0', private: true, dependencies }));
    const owner = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', registry) });
    must(await owner.shell('npm install --package-lock-only', product));
  },
  async install(product, { folder, registry, runner }) {
    const settings = { ...settingsFor('npm11', registry), npm_config_replace_registry_host: 'always', npm_config_audit: 'false' };
    const home = await makeJsHome(folder, { client: 'npm11', settings, ...(runner === undefined ? {} : { runner }) });
    return await home.shell('npm ci', home.take(product));
  },
};

export const devpi: Link = {
  peer: 'devpi',
  ecosystem: 'pypi',
  lockfile: 'requirements.txt',
  proof: 'index-sha256',
  start: startDevpi,
  registryOf: indexOfDevpi,
  registryAt: (mirror) => `${mirror}/pypi/simple/`,
  trueRegistry: async () => pypi.discovery.parse((await mustRun(pypi.discovery.argv)).said)?.index ?? '',
  async lock(product, { folder, registry }) {
    mkdirSync(product, { recursive: true });
    writeFileSync(join(product, 'requirements.in'), 'flask>=3\nmarkupsafe>=3\n');
    const owner = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: registry } });
    must(await owner.uv(['pip', 'compile', '--quiet', '--generate-hashes', '--no-header', '--output-file', 'requirements.txt', 'requirements.in'], product));
  },
  async install(product, { folder, registry, runner }) {
    const home = await makeHome(folder, { settings: { PIP_INDEX_URL: registry, UV_DEFAULT_INDEX: registry }, ...(runner === undefined ? {} : { runner }) });
    const requirements = join(product, 'requirements.txt');
    const byUv = await home.uv(['pip', 'sync', '--require-hashes', requirements]);
    return byUv.code === 0 ? await home.pip('install', '--force-reinstall', '--no-cache-dir', '--require-hashes', '-r', requirements) : byUv;
  },
};

/** The checksum database that go asks here. */
const databaseOf = async () => (await mustRun(['go', 'env', 'GOSUMDB'])).said.trim().split(/[\s+]/, 1)[0] ?? '';

export const goProxy: Link = {
  peer: 'goproxy',
  ecosystem: 'golang',
  lockfile: 'go.sum',
  proof: 'sumdb',
  start: async (place) => await startGoProxy({ ...place, database: await databaseOf() }),
  // It takes versions whole or not at all: of those whose go.mod alone is locked, the mirror has no more, and go asks it itself.
  registryOf: ({ address }, mirror) => (mirror === undefined ? address : `${address},${mirror}/golang`),
  registryAt: (mirror) => `${mirror}/golang`,
  trueRegistry: async () => golang.discovery.parse((await mustRun(golang.discovery.argv)).said)?.index ?? '',
  async lock(product, { folder, registry }) {
    cpSync(join(import.meta.dirname, 'go-product'), product, { recursive: true });
    must(await makeGoHome(folder, { proxy: registry }).go(['mod', 'tidy'], product));
  },
  async install(product, { folder, registry, runner }) {
    const home = makeGoHome(folder, { proxy: registry, ...(runner === undefined ? {} : { runner }) });
    // Without go.sum every module is proven by the checksum database.
    const project = home.take(product);
    writeFileSync(join(project, 'go.sum'), '');
    const tidied = await home.go(['mod', 'tidy'], project);
    if (tidied.code !== 0) return tidied;
    const isSame = readFileSync(join(project, 'go.sum'), 'utf8') === readFileSync(join(product, 'go.sum'), 'utf8');
    return isSame ? tidied : { ...tidied, code: 1, said: `${tidied.said}\nanother go.sum than the one made upstream` };
  },
};

function must(ran: Ran): void {
  if (ran.code !== 0) throw new Error(ran.said);
}
