import { spawn, spawnSync } from 'node:child_process';
import { constants, homedir } from 'node:os';
import { ROOT, TOOLCHAIN } from './paths.mjs';
import { SetUpError } from './set-up-error.mjs';

/**
 * Runs a tool to its end with its words on standard error; rejects with SetUpError and `remedy` when it fails. When the set-up is interrupted it waits
 * for the tool, which is interrupted too, or kills it where `onInterrupt` says that is harmless, and ends with the exit code of the signal.
 */
export async function runTool(command, args, { remedy, name = `${command} ${args[0]}`, onInterrupt = 'wait', env = {}, cwd = ROOT }) {
  const tool = spawn(command, args, { cwd, env: { ...toolEnvironment(), ...env }, stdio: ['ignore', 2, 2] });
  let interrupted;
  const interrupt = (signal) => {
    interrupted = signal;
    tool.kill(onInterrupt === 'kill' ? 'SIGKILL' : signal);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const end = await new Promise((resolve) => {
    tool.once('error', (error) => resolve({ error }));
    tool.once('close', (status, signal) => resolve({ status, signal }));
  });
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  if (interrupted !== undefined) process.exit(128 + constants.signals[interrupted]);
  if (end.error) throw new SetUpError(`${name} could not be started (${end.error.message}). ${remedy}`);
  if (end.status !== 0) throw new SetUpError(`${name} ended with ${end.signal ?? end.status}. ${remedy}`);
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
