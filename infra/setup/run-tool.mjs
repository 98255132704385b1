import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { ROOT, TOOLCHAIN } from './paths.mjs';
import { SetUpError } from './set-up-error.mjs';

/** Runs a tool to its end with its words on standard error; throws SetUpError with `remedy` when it fails. A signal ends the set-up too. */
export function runTool(command, args, { remedy, env = {}, cwd = ROOT }) {
  const result = spawnSync(command, args, { cwd, env: { ...toolEnvironment(), ...env }, stdio: ['ignore', 2, 2] });
  if (result.signal === 'SIGINT') process.exit(130);
  if (result.signal === 'SIGTERM') process.exit(143);
  if (result.error) throw new SetUpError(`${command} could not be started (${result.error.message}). ${remedy}`);
  if (result.status !== 0) throw new SetUpError(`${command} ${args[0]} ended with ${result.signal ?? result.status}. ${remedy}`);
}

/** What a tool prints, trimmed; undefined when it is missing or fails. */
export function askTool(command, args) {
  const result = spawnSync(command, args, { cwd: TOOLCHAIN, env: toolEnvironment(), encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function toolEnvironment() {
  const env = { ...process.env, NODE_USE_SYSTEM_CA: process.env.NODE_USE_SYSTEM_CA ?? '1' };
  // `npm start` hands its own place on to its children, where it would override --prefix.
  for (const name of ['npm_config_prefix', 'npm_config_local_prefix', 'npm_config_global_prefix', 'npm_config_global']) delete env[name];
  if (!homedir().startsWith('/')) env.HOME = TOOLCHAIN;
  return env;
}
