import type { InstallCommand, Installing, InstallPlan, PlannedInstall } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { readLockedProject } from './locked-project.ts';
import { runsCode } from './runs-code.ts';
import { npmToolset, UNPACK_NPM } from './toolset.ts';

const REGISTRY = 'http://127.0.0.1:3128/npm/';
const PROJECT = 'project';
/** Arguments go as they are to the client in the project, which every phase unpacks for itself. */
const CLIENT = ['set -e', UNPACK_NPM, `cd /work/${PROJECT}`, 'exec npm "$@"'].join('\n');
/** One script at a time, all of them allowed (npm 12 asks for each otherwise), and nothing that npm does for itself. */
const SETTINGS: Readonly<Record<string, string>> = {
  registry: REGISTRY,
  cache: '/tmp/cache',
  audit: 'false',
  fund: 'false',
  update_notifier: 'false',
  foreground_scripts: 'true',
  dangerously_allow_all_scripts: 'true',
};
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/tmp/bin:/usr/local/bin:/usr/bin:/bin',
  ...Object.fromEntries(Object.entries(SETTINGS).map(([name, value]) => [`npm_config_${name}`, value])),
};

/** `npm ci`, cut where code of packages begins to run, and then what `npm ci` would run, package by package. */
export const npmInstalling: Installing = {
  engine: 1,
  toolset: npmToolset,
  runsCode,
  plan({ specification, content, runsCode: running }): PlannedInstall {
    if (content === undefined || !/(^|\/)(package-lock|npm-shrinkwrap)\.json$/.test(specification))
      return { type: 'not-tried', why: 'installs are tried of package-lock.json and npm-shrinkwrap.json' };
    const { files, installed } = readLockedProject(specification, content, REGISTRY);
    const locations = Map.groupBy(
      installed.filter(({ release }) => running.has(release)),
      ({ release }) => release,
    );
    const scripts = [...locations].map(([release, at]) =>
      scriptsOf(
        release,
        at.map(({ location }) => location),
      ),
    );
    return {
      type: 'plan',
      plan: { files: files.map(({ path, text }) => ({ path: `${PROJECT}/${path}`, text })), install: client('ci', '--ignore-scripts'), scripts },
    };
  },
};

function scriptsOf(release: Purl, locations: readonly string[]): InstallPlan['scripts'][number] {
  return { release, command: client('rebuild', ...locations.map((location) => `./${location}`)) };
}

function client(...args: readonly string[]): InstallCommand {
  return { argv: ['sh', '-c', CLIENT, 'npm', ...args], env: ENVIRONMENT };
}
