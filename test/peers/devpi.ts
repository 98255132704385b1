import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';
import { cleanEnvironment } from '../machine/uv.ts';
import { bringOnce } from './bring-once.ts';
import { type Peer, type PeerPlace, startPeer } from './peer.ts';

const SERVER = '6.20.3';
const CLIENT = '7.3.0';
/** devpi-init, which no module name runs. */
const INIT = 'import sys; from devpi_server.init import init; sys.exit(init())';

/** devpi-server with one index, `root/mirror`, which mirrors another, with the settings that docs/with-others.md names. */
export async function startDevpi({ folder, upstream, inside = (same) => same }: PeerPlace): Promise<Peer> {
  const python = join(await bringOnce(`devpi-${SERVER}`, install), 'bin/python');
  mkdirSync(folder, { recursive: true });
  const env = { ...cleanEnvironment(), HOME: folder };
  await mustRun([python, '-c', INIT, '--serverdir', join(folder, 'server'), '--no-root-pypi'], { cwd: folder, env });
  const peer = await startPeer({
    argv: (port) => [python, '-m', 'devpi_server', '--serverdir', join(folder, 'server'), '--host', '127.0.0.1', '--port', port, '--threads', '8'],
    env,
    cwd: folder,
    ready: '/+api',
    inside,
  });
  const tell = async (...args: readonly string[]) => await mustRun(inside([python, '-m', 'devpi', ...args]), { cwd: folder, env });
  await tell('use', peer.address);
  await tell('login', 'root', '--password=');
  // Else it reads the list of all names of its upstream first, and knows no other.
  await tell('index', '-c', 'mirror', 'type=mirror', `mirror_url=${upstream}`, 'mirror_no_project_list=True');
  return peer;
}

/** What clients of it are told. */
export function indexOfDevpi({ address }: Peer): string {
  return `${address}/root/mirror/+simple/`;
}

async function install(folder: string): Promise<void> {
  await mustRun(['python3', '-m', 'venv', folder]);
  await mustRun([join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet', `devpi-server==${SERVER}`, `devpi-client==${CLIENT}`], {
    env: cleanEnvironment(),
  });
}
