import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const VERSION = '6.10.4';

/** Installs the peer with its own dependencies, as its users do. */
export function installVerdaccio(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // One of its dependencies asks for a dist-tag, which not every registry has.
  writeFileSync(join(folder, 'package.json'), '{"private":true,"overrides":{"node-fetch":"2.7.0"}}\n');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `verdaccio@${VERSION}`], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Proxying {
  readonly upstream: string;
  readonly port: number;
  /** What it is started with. */
  readonly prefix: readonly string[];
}
/** A proxy of one upstream that keeps what it fetched, logs nothing, and asks no one for a password. */
export async function startVerdaccio(folder: string, { upstream, port, prefix }: Proxying): Promise<ChildProcess> {
  const configuration = join(folder, 'config.yaml');
  writeFileSync(
    configuration,
    `storage: ${join(folder, 'storage')}
uplinks: { upstream: { url: ${upstream}, maxage: 60m, cache: true } }
packages: { '**': { access: $all, proxy: upstream } }
log: { type: stdout, format: json, level: fatal }
web: { enable: false }
`,
  );
  const verdaccio = join(folder, 'node_modules/verdaccio/bin/verdaccio');
  const [program = '', ...argv] = [...prefix, process.execPath];
  const child = spawn(program, [...argv, verdaccio, '--config', configuration, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  await answering(`http://127.0.0.1:${port}/-/ping`);
  return child;
}

/** Resolves when the address answers at all. */
async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return;
    await sleep(100);
  }
  throw new Error(`${url} doesn't answer`);
}
