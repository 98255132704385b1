import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { publishTools } from '../clients/installs-site.ts';
import { type JsHome, makeJsHome, settingsFor } from '../clients/js-home.ts';
import { mustRun } from '../clients/run.ts';
import { commandFolder, type JsClient } from '../machine/js-clients.ts';
import { type LoopbackForge, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { type LoopbackNpm, openLoopbackNpm } from '../upstream/loopback-npm.ts';

/** An npm registry and a forge of our own: packages are made by real clients from real repositories, and some of them are altered on the way. */
export interface NpmSourceSite extends AsyncDisposable {
  readonly configFile: string;
  readonly upstream: LoopbackNpm;
  /** Makes the repository of a package, with the tag `v1.0.0`; `before` is done in the work tree before it is committed. Resolves to that. */
  commit(name: string, files: Files, before?: (work: string) => Promise<void>): Promise<string>;
  /** Packs a folder, by npm unless told otherwise. Resolves to the tarball. */
  pack(folder: string, options?: { readonly client?: JsClient; readonly line?: string }): Promise<string>;
  /** The same tarball, compressed otherwise, after `change` was done to what it holds. */
  alter(tarball: string, change?: (folder: string) => void): Promise<string>;
  publish(tarball: string): Promise<void>;
  /** A dependency, published long before the packages that need it. */
  dependency(name: string, files: Files): Promise<void>;
  /** Runs a line in a folder with one of the clients, by this registry. */
  shell(client: JsClient, line: string, folder: string): Promise<void>;
}
export type Files = Readonly<Record<string, string | object>>;

const LONG_AGO = '2024-01-02T00:00:00.000Z';

export async function openNpmSourceSite(folder: string, watch: readonly string[]): Promise<NpmSourceSite> {
  const upstream = await openLoopbackNpm();
  const forge = await openLoopbackForge(join(folder, 'forge'));
  const owner = await homeOf(folder, 'npm12', upstream);
  await publishTools(owner, folder);
  const configFile = join(folder, 'granary.yaml');
  const repositories = { mirror: 'named-by-packages', insteadOf: { 'https://forge.example/': forge.base } };
  writeFileSync(configFile, JSON.stringify({ watch, upstreams: { npm: { index: upstream.registry } }, repositories, data: 'data' }));
  const shell: NpmSourceSite['shell'] = async (client, line, at) => {
    const home = client === 'npm12' ? owner : await homeOf(folder, client, upstream);
    await mustShell(home, line, at);
  };
  const publish = (tarball: string) => mustShell(owner, `npm publish ${tarball} --access public --ignore-scripts`, folder);
  return {
    configFile,
    upstream,
    shell,
    publish,
    commit: (name, files, before) => commit(forge, name, { files, before }),
    async pack(at, { client = 'npm12', line = 'npm pack' } = {}) {
      const made = join(folder, 'packed', `${at.replaceAll('/', '_')}`);
      mkdirSync(made, { recursive: true });
      await shell(client, `${line} --pack-destination ${made}`, at);
      return (await mustRun(['sh', '-c', `ls ${made}/*.tgz`])).said.trim();
    },
    alter,
    async dependency(name, files) {
      const at = join(folder, 'dependencies', name);
      writeFiles(at, files);
      await mustShell(owner, 'npm publish --access public --ignore-scripts', at);
      upstream.date(name, '1.0.0', LONG_AGO);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([upstream.close(), forge.close()]);
    },
  };
}

/** A package manager as the registry has it, since long ago. Resolves to its version. */
export async function publishClient(site: NpmSourceSite, client: JsClient, name: string): Promise<string> {
  const at = join(await commandFolder(client), '../../node_modules', client);
  const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  await site.shell('npm12', 'npm publish --access public --ignore-scripts', at);
  site.upstream.date(name, version, LONG_AGO);
  return version;
}

async function homeOf(folder: string, client: JsClient, { registry }: LoopbackNpm): Promise<JsHome> {
  const home = await makeJsHome(folder, { client, settings: settingsFor(client, registry) });
  // npm publishes as somebody, or not at all.
  writeFileSync(join(home.folder, '.npmrc'), `${registry.replace('http:', '')}:_authToken=anybody\n`);
  return home;
}

interface Committed {
  readonly files: Files;
  readonly before: ((work: string) => Promise<void>) | undefined;
}

async function commit(forge: LoopbackForge, name: string, { files, before }: Committed): Promise<string> {
  const repository = await forge.create(`owner/${name}`);
  const work = (await repository.git('rev-parse', '--show-toplevel')).trim();
  writeFileSync(join(work, 'begun'), 'here\n');
  await repository.git('add', '--all');
  await repository.git('commit', '--quiet', '--message', 'begin');
  rmSync(join(work, 'begun'));
  writeFiles(work, files);
  await before?.(work);
  await repository.git('add', '--all');
  await repository.git('commit', '--quiet', '--message', 'release');
  await repository.git('tag', 'v1.0.0');
  await repository.git('push', '--quiet', 'origin', 'main', 'v1.0.0');
  return work;
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
    if (typeof content === 'string' && content.startsWith('#!')) chmodSync(join(folder, path), 0o755);
  }
}

async function alter(tarball: string, change?: (folder: string) => void): Promise<string> {
  const folder = `${tarball}-altered`;
  mkdirSync(folder);
  const altered = join(folder, tarball.slice(tarball.lastIndexOf('/') + 1));
  if (change === undefined) {
    await mustRun(['sh', '-c', `gzip -dc ${tarball} | gzip -n -1 > ${altered}`]);
    return altered;
  }
  await mustRun(['tar', '--extract', '--gzip', `--file=${tarball}`, `--directory=${folder}`]);
  change(join(folder, 'package'));
  await mustRun(['tar', '--create', '--gzip', `--file=${altered}`, `--directory=${folder}`, 'package']);
  return altered;
}

async function mustShell(home: JsHome, line: string, cwd: string): Promise<void> {
  const { code, said } = await home.shell(line, cwd);
  if (code !== 0) throw new Error(`${line}: exit ${code}\n${said}`);
}
