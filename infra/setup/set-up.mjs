// Brings a machine with Node 18 and npm 9 to where Granary runs: plain JavaScript of that age, no dependency.
// Called by the launchers before every command; when there is nothing to do it reads a few files and ends.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOOLCHAIN } from './paths.mjs';
import { EX_UNAVAILABLE, SetUpError } from './set-up-error.mjs';
import { installSystemPackages, missingSystemPackages } from './system-packages.mjs';
import { bringToolchain, hasToolchain } from './toolchain.mjs';
import { hasWorkspacePackages, installWorkspacePackages } from './workspace-packages.mjs';

const HOLDS_LOCK = '--holds-lock';

function isReady() {
  return hasToolchain() && hasWorkspacePackages() && missingSystemPackages().length === 0;
}

async function setUp() {
  const missing = missingSystemPackages();
  if (missing.length > 0) await installSystemPackages(missing);
  if (!hasToolchain()) await bringToolchain();
  if (!hasWorkspacePackages()) await installWorkspacePackages();
}

/** Runs this file again under flock(1): the kernel lets go of the lock however its holder ends, and whoever waited finds the work done. */
function setUpUnderLock() {
  mkdirSync(TOOLCHAIN, { recursive: true });
  const again = [join(TOOLCHAIN, 'lock'), process.execPath, fileURLToPath(import.meta.url), HOLDS_LOCK];
  const result = spawnSync('flock', again, { stdio: ['ignore', 2, 2] });
  if (result.error) throw new SetUpError('flock is missing; it comes with the Debian package util-linux: `apt-get install -y util-linux`, then run again.');
  if (result.signal !== null) process.kill(process.pid, result.signal);
  return result.status;
}

try {
  if (process.argv[2] === HOLDS_LOCK) await setUp();
  else if (!isReady()) process.exitCode = setUpUnderLock();
} catch (error) {
  const isOfTheDisk = error.syscall !== undefined && error.path !== undefined;
  if (!(error instanceof SetUpError) && !isOfTheDisk) throw error;
  process.stderr.write(`set-up: ${error.message}${isOfTheDisk ? '. This folder must be writable, with 1 GB free; then run again.' : ''}\n`);
  process.exitCode = EX_UNAVAILABLE;
}
