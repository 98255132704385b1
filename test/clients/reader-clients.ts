import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsClient } from '../machine/js-clients.ts';
import { makeCargoHome } from './cargo-home.ts';
import { makeGoHome } from './go-home.ts';
import { makeJsHome } from './js-home.ts';
import { makeHome } from './python-home.ts';
import { type Ran, type RunOptions, run } from './run.ts';

/** A mirror whose readers show tokens, and what clients must be told of it. */
export interface RestrictedMirror {
  /** Of the view, without a slash at the end. */
  readonly address: string;
  readonly certificateFile: string;
  /** Key of the checksum database. */
  readonly sumdb: string;
}
/** What a user without caches came to. */
interface Install {
  readonly ran: Ran;
  /** Texts that users commit: locks, and what the client wrote beside them. */
  readonly committed: readonly string[];
}
export interface ReadingClient {
  readonly name: string;
  /** Installs `wick` as docs/clients.md says, with a token or as somebody who has none. */
  install(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install>;
}

const NPM_LIKE = { npm11: 'npm install', npm12: 'npm install', pnpm: 'pnpm install', yarn1: 'yarn install' } as const;
const JS_LOCKS = { npm11: 'package-lock.json', npm12: 'package-lock.json', pnpm: 'pnpm-lock.yaml', yarn1: 'yarn.lock', yarn4: 'yarn.lock' } as const;

export const READING_CLIENTS: readonly ReadingClient[] = [
  npmLike('npm11'),
  npmLike('npm12'),
  npmLike('pnpm'),
  npmLike('yarn1'),
  { name: 'yarn 4', install: installWithYarn4 },
  { name: 'pip', install: installWithPip },
  { name: 'uv', install: installWithUv },
  { name: 'cargo', install: installWithCargo },
  { name: 'go', install: installWithGo },
];

function npmLike(client: keyof typeof NPM_LIKE): ReadingClient {
  return {
    name: client,
    async install(folder, mirror, token) {
      const registry = `${mirror.address}/npm/`;
      const home = await jsHome(folder, { client, mirror, settings: { GRANARY_TOKEN: token ?? '' } });
      // Single quotes: the client fills in the variable, so that no file holds the token.
      const shown = token === undefined ? '' : `${registry.slice('https:'.length)}:_authToken=$\{GRANARY_TOKEN}\nalways-auth=true\n`;
      writeFileSync(join(home.folder, '.npmrc'), `registry=${registry}\n${client === 'yarn1' ? shown : shown.replace('always-auth=true\n', '')}`);
      const project = jsProject(home.folder);
      return { ran: await home.shell(NPM_LIKE[client], project), committed: read(project, [JS_LOCKS[client], 'package.json']) };
    },
  };
}

async function installWithYarn4(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install> {
  const home = await jsHome(folder, { client: 'yarn4', mirror, settings: { GRANARY_TOKEN: token ?? '' } });
  const project = jsProject(home.folder);
  const shown = token === undefined ? '' : 'npmAlwaysAuth: true\nnpmAuthToken: "$' + '{GRANARY_TOKEN}"\n';
  writeFileSync(join(project, '.yarnrc.yml'), `nodeLinker: node-modules\nnpmRegistryServer: ${mirror.address}/npm\n${shown}`);
  writeFileSync(join(project, 'yarn.lock'), '');
  return { ran: await home.shell('yarn install --no-immutable', project), committed: read(project, [JS_LOCKS.yarn4, 'package.json', '.yarnrc.yml']) };
}

/** By the folder that it lies in: making one with pip in it takes longer than all that is done with it. */
const pipHomes = new Map<string, ReturnType<typeof makeHome>>();

async function installWithPip(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install> {
  const settings = { PIP_INDEX_URL: `${mirror.address}/pypi/simple/`, REQUESTS_CA_BUNDLE: mirror.certificateFile, PIP_NO_INPUT: '1' };
  const made = pipHomes.get(folder) ?? makeHome(folder, { settings });
  pipHomes.set(folder, made);
  const home = await made;
  const place = mkdtempSync(join(folder, 'installed-'));
  rmSync(join(home.folder, '.netrc'), { force: true });
  writeNetrc(home.folder, mirror, token);
  const ran = await home.pip('install', '--no-cache-dir', '--target', place, '--report', join(place, 'report.json'), 'wick');
  return { ran, committed: read(place, ['report.json']) };
}

async function installWithUv(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install> {
  const home = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: `${mirror.address}/pypi/simple/`, SSL_CERT_FILE: mirror.certificateFile } });
  writeNetrc(home.folder, mirror, token);
  const project = join(home.folder, 'lamp');
  mkdirSync(project);
  writeFileSync(join(project, 'pyproject.toml'), '[project]\nname = "lamp"\nversion = "1.0"\nrequires-python = ">=3.9"\ndependencies = ["wick"]\n');
  const ran = await home.uv(['sync'], project);
  const exported = await home.uv(['export', '--frozen', '--format', 'pylock.toml', '--output-file', 'pylock.toml'], project);
  return { ran, committed: [...read(project, ['uv.lock', 'pylock.toml']), exported.said] };
}

async function installWithCargo(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install> {
  const settings = { CARGO_HTTP_CAINFO: mirror.certificateFile, ...(token === undefined ? {} : { CARGO_REGISTRIES_GRANARY_TOKEN: token }) };
  const home = makeCargoHome(folder, { runner: withSettings(settings) });
  const project = mkdtempSync(join(folder, 'lamp-'));
  mkdirSync(join(project, 'src'));
  mkdirSync(join(project, '.cargo'));
  writeFileSync(join(project, 'src/main.rs'), 'fn main() {}\n');
  writeFileSync(join(project, 'Cargo.toml'), '[package]\nname = "lamp"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nwick = "1"\n[workspace]\n');
  const registry = `[source.crates-io]\nreplace-with = "granary"\n[registries.granary]\nindex = "sparse+${mirror.address}/cargo/"\n`;
  writeFileSync(join(project, '.cargo/config.toml'), `${registry}[registry]\nglobal-credential-providers = ["cargo:token"]\n`);
  const ran = await home.cargo(['fetch'], project);
  return { ran, committed: read(project, ['Cargo.lock', '.cargo/config.toml']) };
}

async function installWithGo(folder: string, mirror: RestrictedMirror, token: string | undefined): Promise<Install> {
  const netrc = mkdtempSync(join(folder, 'netrc-'));
  writeNetrc(netrc, mirror, token);
  const settings = { SSL_CERT_FILE: mirror.certificateFile, NETRC: join(netrc, '.netrc') };
  const home = makeGoHome(folder, { proxy: `${mirror.address}/golang`, sumdb: mirror.sumdb, runner: withSettings(settings) });
  const project = mkdtempSync(join(folder, 'lamp-'));
  writeFileSync(join(project, 'go.mod'), 'module lamp.example/lamp\n\ngo 1.21\n');
  writeFileSync(join(project, 'main.go'), 'package main\n\nimport _ "mod.example/wick"\n\nfunc main() {}\n');
  const ran = await home.go(['mod', 'tidy'], project);
  return { ran, committed: read(project, ['go.mod', 'go.sum']) };
}

interface JsUser {
  readonly client: JsClient;
  readonly mirror: RestrictedMirror;
  readonly settings: Readonly<Record<string, string>>;
}

async function jsHome(folder: string, { client, mirror, settings }: JsUser): ReturnType<typeof makeJsHome> {
  return await makeJsHome(folder, { client, settings: { NODE_EXTRA_CA_CERTS: mirror.certificateFile, ...settings } });
}

function jsProject(home: string): string {
  const project = join(home, 'lamp');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'lamp', version: '1.0.0', private: true, dependencies: { wick: '^1.0.0' } }));
  return project;
}

/** netrc(5) goes by the host alone; go wants its port too, where it isn't that of https. */
function writeNetrc(folder: string, mirror: RestrictedMirror, token: string | undefined): void {
  if (token === undefined) return;
  const { hostname, host } = new URL(mirror.address);
  const lines = [hostname, host].map((machine) => `machine ${machine} login anybody password ${token}\n`);
  writeFileSync(join(folder, '.netrc'), lines.join(''), { mode: 0o600 });
}

function withSettings(settings: Readonly<Record<string, string>>): (argv: readonly string[], options?: RunOptions) => Promise<Ran> {
  return async (argv, options = {}) => await run(argv, { ...options, env: { ...options.env, ...settings } });
}

/** Those that there are. */
function read(folder: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    try {
      return [readFileSync(join(folder, name), 'utf8')];
    } catch {
      return [];
    }
  });
}
