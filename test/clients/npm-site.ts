import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsClient } from '../machine/js-clients.ts';
import { type LoopbackNpm, openLoopbackNpm } from '../upstream/loopback-npm.ts';
import { makeJsHome, settingsFor } from './js-home.ts';
import { mustRun } from './run.ts';

/** A registry of our own that `npm publish` filled, a project that each client locked against it, and the configuration of a site that watches it all. */
export interface NpmSite {
  readonly upstream: LoopbackNpm;
  readonly configFile: string;
  readonly dataDir: string;
  /** The same project, locked by that client. */
  readonly projects: Readonly<Record<LockingClient, string>>;
  /** What running it prints, as it was locked. */
  readonly says: string;
  publish(sample: SamplePackage): Promise<void>;
}
interface SamplePackage {
  readonly name: string;
  readonly version: string;
  readonly publishedAt: string;
  readonly more?: object;
}
export type LockingClient = Exclude<JsClient, 'npm12'>;

const AT_FIRST: readonly SamplePackage[] = [
  { name: 'wick', version: '1.0.0', publishedAt: '2023-03-01T10:00:00.000Z' },
  { name: 'wick', version: '1.1.0', publishedAt: '2024-06-01T10:00:00.000Z' },
  { name: 'glow', version: '1.0.0', publishedAt: '2023-03-02T10:00:00.000Z', more: { os: ['aix'] } },
  {
    name: 'lantern',
    version: '1.0.0',
    publishedAt: '2023-04-01T10:00:00.000Z',
    more: { dependencies: { wick: '^1.0.0' }, optionalDependencies: { glow: '^1.0.0' } },
  },
  { name: '@lamp/oil', version: '1.0.0', publishedAt: '2023-05-01T10:00:00.000Z', more: { license: 'MIT' } },
  { name: 'ember', version: '1.0.0', publishedAt: '2023-06-01T10:00:00.000Z' },
  { name: 'ember', version: '1.1.0', publishedAt: '2024-07-01T10:00:00.000Z' },
  { name: 'tallow', version: '0.9.0', publishedAt: '2023-07-01T10:00:00.000Z' },
  { name: 'tallow', version: '0.9.1', publishedAt: '2024-08-01T10:00:00.000Z' },
  { name: 'flint', version: '1.0.0', publishedAt: '2023-08-01T10:00:00.000Z' },
];
const DEPENDENCIES = { lantern: '^1.0.0', '@lamp/oil': '^1.0.0', 'old-ember': 'npm:ember@^1.0.0', tallow: '^0.9.0', flint: '^1.0.0' };
/** How each client makes a lock and leaves nothing else. */
export const LOCK: Readonly<Record<LockingClient, { readonly line: string; readonly file: string }>> = {
  npm11: { line: 'npm install --package-lock-only', file: 'package-lock.json' },
  pnpm: { line: 'pnpm install --lockfile-only', file: 'pnpm-lock.yaml' },
  yarn1: { line: 'yarn install && rm -r node_modules', file: 'yarn.lock' },
  yarn4: { line: 'touch yarn.lock && yarn install --mode=update-lockfile', file: 'yarn.lock' },
};
const WATCH = ['pkg:npm/wick@^1', 'pkg:npm/wick@1.0.0', 'pkg:npm/ember@1.0.0', 'pkg:npm/tallow@0.9.0'];

export async function makeNpmSite(folder: string): Promise<NpmSite> {
  const upstream = await openLoopbackNpm();
  const publish = await publisher(folder, upstream);
  for (const sample of AT_FIRST) await publish(sample);
  const lock = async (client: LockingClient): Promise<string> => {
    const project = await writeProject(join(folder, client), DEPENDENCIES);
    const home = await makeJsHome(folder, { client, settings: settingsFor(client, upstream.registry) });
    await mustRunLine(home, LOCK[client].line, project);
    return project;
  };
  const projects = { npm11: await lock('npm11'), pnpm: await lock('pnpm'), yarn1: await lock('yarn1'), yarn4: await lock('yarn4') };
  const locks = Object.entries(LOCK).map(([client, { file }]) => `${client}/${file}`);
  const configFile = join(folder, 'granary.yaml');
  const site = { watch: [...WATCH, ...locks], upstreams: { npm: { index: upstream.registry } }, follow: { intervalSeconds: 2 }, data: 'data' };
  writeFileSync(configFile, JSON.stringify(site));
  return {
    upstream,
    configFile,
    dataDir: join(folder, 'data'),
    projects,
    publish,
    says: 'lantern 1.0.0\n@lamp/oil 1.0.0\nember 1.1.0\ntallow 0.9.1\nflint 1.0.0\n',
  };
}

/** Somebody who packs and publishes samples with npm. */
export async function publisher(folder: string, upstream: LoopbackNpm): Promise<NpmSite['publish']> {
  const owner = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', upstream.registry) });
  // npm publishes as somebody, or not at all.
  writeFileSync(join(owner.folder, '.npmrc'), `${upstream.registry.replace('http:', '')}:_authToken=anybody\n`);
  return async ({ name, version, publishedAt, more }) => {
    const source = join(folder, 'packages', name, version);
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'package.json'), JSON.stringify({ name, version, ...more }));
    writeFileSync(join(source, 'index.js'), `module.exports = '${name} ${version}';\n`);
    await mustRunLine(owner, 'npm publish --access public', source);
    upstream.date(name, version, publishedAt);
  };
}

/** Prints what is installed. */
export async function writeProject(folder: string, dependencies: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'lamp', version: '1.0.0', private: true, dependencies }));
  writeFileSync(
    join(folder, 'main.js'),
    Object.keys(dependencies)
      .map((name) => `console.log(require('${name}'));\n`)
      .join(''),
  );
  writeFileSync(join(folder, '.yarnrc.yml'), 'nodeLinker: node-modules\n');
  return folder;
}

async function mustRunLine(home: Awaited<ReturnType<typeof makeJsHome>>, line: string, cwd: string): Promise<void> {
  const { code, said } = await home.shell(line, cwd);
  if (code !== 0) throw new Error(`${line}: exit ${code}\n${said}`);
}

/** What the installed project prints. */
export async function sayings(project: string): Promise<string> {
  return (await mustRun([process.execPath, 'main.js'], { cwd: project })).said;
}
