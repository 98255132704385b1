import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { commandFolder, type JsClient } from '../machine/js-clients.ts';
import { type Ran, type RunOptions, run } from './run.ts';

type Runner = (argv: readonly string[], options?: RunOptions) => Promise<Ran>;

/** A user who has one of the clients and nothing else: no caches, no settings, an environment with nothing in it. */
export interface JsHome {
  readonly client: JsClient;
  readonly folder: string;
  /** A line for the shell, as documentation has it. */
  shell(line: string, cwd?: string): Promise<Ran>;
  /** A copy of a project, to work in. */
  take(project: string): string;
}
export interface JsHomeOptions {
  readonly client: JsClient;
  readonly runner?: Runner;
  /** Settings in the environment, such as `npm_config_registry`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Settings of the machine's user, and of whatever started the tests: above all `omit-lockfile-registry-resolved` would hide traps. */
const INHERITED = /^(npm_|pnpm_|yarn_|corepack_|node_options$|ci$)/i;

export async function makeJsHome(folder: string, { client, runner = run, settings = {} }: JsHomeOptions): Promise<JsHome> {
  mkdirSync(folder, { recursive: true });
  const home = mkdtempSync(join(folder, `home-${client}-`));
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !INHERITED.test(entry[0]));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: [await commandFolder(client), process.env['PATH']].join(delimiter),
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    NODE_USE_SYSTEM_CA: '1',
    YARN_ENABLE_TELEMETRY: '0',
    // One try says as much as three, sooner.
    npm_config_fetch_retries: '0',
    ...settings,
  };
  return {
    client,
    folder: home,
    shell: (line, cwd = home) => runner(['sh', '-ec', line], { cwd, env }),
    take(project) {
      const copy = join(mkdtempSync(join(home, 'work-')), 'project');
      cpSync(project, copy, { recursive: true });
      return copy;
    },
  };
}

/** What tells a client of one registry and nothing else, in the environment. */
export function settingsFor(client: JsClient, registry: string): Readonly<Record<string, string>> {
  if (client === 'pnpm') return { pnpm_config_registry: registry };
  if (client !== 'yarn4') return { npm_config_registry: registry };
  return { YARN_NPM_REGISTRY_SERVER: registry, YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname };
}
