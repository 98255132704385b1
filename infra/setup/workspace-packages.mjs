import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, INSTALLED_LOCKFILE, LOCKFILE } from './paths.mjs';
import { askTool, runTool } from './run-tool.mjs';
import { say } from './say.mjs';

/** True when node_modules was installed from today's lockfile. */
export function hasWorkspacePackages() {
  return existsSync(INSTALLED_LOCKFILE) && readFileSync(LOCKFILE).equals(readFileSync(INSTALLED_LOCKFILE));
}

/** Installs what the lockfile names, every byte checked against the digests in it. */
export async function installWorkspacePackages() {
  say('installing the packages of pnpm-lock.yaml (until it changes)');
  rmSync(INSTALLED_LOCKFILE, { force: true });
  // The registry that npm on this machine uses, whichever file it is set in: pnpm does not read npm's global configuration.
  const registry = askTool('npm', ['config', 'get', 'registry']);
  const args = [join(BIN, 'pnpm'), 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn'];
  await runTool(join(BIN, 'node'), registry ? [...args, `--registry=${registry}`] : args, {
    name: 'pnpm install',
    env: { CI: 'true', PATH: `${BIN}:${process.env.PATH}` },
    remedy:
      'What pnpm printed above says why; if it is the network, check that this machine reaches its npm registry (`npm ping`) and run again: what was fetched is kept.',
  });
  copyFileSync(LOCKFILE, INSTALLED_LOCKFILE);
}
