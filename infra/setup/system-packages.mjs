import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runTool } from './run-tool.mjs';
import { say } from './say.mjs';
import { SetUpError } from './set-up-error.mjs';

/** What Granary runs beside Node: a file that shows it is there, and the Debian package that brings it. */
const NEEDED = [
  { shows: 'git', debian: 'git' },
  // The namespaces that git works in.
  { shows: 'bwrap', debian: 'bubblewrap' },
  { shows: 'crun', debian: 'crun' },
  { shows: 'mmdebstrap', debian: 'mmdebstrap' },
  { shows: 'socat', debian: 'socat' },
  { shows: 'ip', debian: 'iproute2' },
  { shows: 'xz', debian: 'xz-utils' },
  { shows: 'diff', debian: 'diffutils' },
  { shows: 'python3', debian: 'python3' },
  // Brings pip, which knows where packages come from by default, and venv, in which the examples' uv is installed.
  { shows: ['pip3', '/usr/share/python-wheels'], debian: 'python3-venv' },
  // The queue between several processes, and the tests of it.
  { shows: ['redis-server', 'valkey-server'], debian: 'redis-server' },
  { shows: 'apt-get', debian: 'apt' },
  { shows: '/etc/ssl/certs/ca-certificates.crt', debian: 'ca-certificates' },
];

/** Debian packages this machine lacks, found by looking for their programs: no process is started. */
export function missingSystemPackages() {
  return NEEDED.filter(({ shows }) => ![shows].flat().some(isPresent)).map(({ debian }) => debian);
}

/** Installs with apt when that is allowed and possible, else throws with the one command to run. */
export async function installSystemPackages(missing) {
  const install = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!isPresent('apt-get'))
    throw new SetUpError(
      `these programs are missing, under their Debian names: ${missing.join(' ')}. Install them with this system's package manager, then run again.`,
    );
  if (process.getuid() !== 0)
    throw new SetUpError(`some system packages are missing. Run this once, then start again:\n\n  sudo sh -c 'apt-get update && ${install}'\n`);
  say(`installing ${missing.join(', ')} with apt (once)`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const remedy = `Run \`apt-get update && ${install}\` by hand to see why, then run again.`;
  await runTool('apt-get', ['-qq', 'update'], { env, remedy });
  await runTool('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...missing], { env, remedy });
}

function isPresent(shows) {
  if (shows.startsWith('/')) return existsSync(shows);
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, shows)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
