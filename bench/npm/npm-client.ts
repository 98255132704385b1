import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Settings of whoever runs the bench must not decide what it measures. */
function environment(folder: string, registry: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name));
  return {
    ...Object.fromEntries(inherited),
    npm_config_registry: registry,
    npm_config_cache: join(folder, 'cache'),
    npm_config_userconfig: join(folder, 'npmrc'),
    npm_config_globalconfig: join(folder, 'global-npmrc'),
    // The lock names the upstream that it was made against; what is measured is the registry that is asked.
    npm_config_replace_registry_host: 'always',
    npm_config_ignore_scripts: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}

/** Makes the product's lock as its developers would: against upstream. */
export function makeLock(manifest: string, folder: string, registry: string): void {
  cpSync(manifest, join(folder, 'package.json'));
  execFileSync('npm', ['install', '--package-lock-only', '--silent'], {
    cwd: folder,
    env: environment(folder, registry),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export interface Installing {
  readonly registry: string;
  /** What the client is started with. */
  readonly prefix?: readonly string[];
}
/**
 * Installs the product from its lock with an empty cache; resolves to seconds. What was installed stays: hundred thousand files that were just deleted would have to be stepped over
 * by whoever makes new ones (ext4 leaves their places alone for half a minute), and what somebody else wrote would be written now.
 */
export function cleanInstall(locked: string, scratch: string, { registry, prefix = [] }: Installing): number {
  const folder = mkdtempSync(join(scratch, 'install-'));
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(locked, file), join(folder, file));
  mkdirSync(join(folder, 'cache'));
  execFileSync('sync');
  const started = performance.now();
  const [program = 'npm', ...argv] = [...prefix, 'npm', 'ci', '--loglevel=error'];
  execFileSync(program, argv, { cwd: folder, env: environment(folder, registry), stdio: ['ignore', 'ignore', 'inherit'] });
  return (performance.now() - started) / 1000;
}
