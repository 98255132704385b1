import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cleanEnvironment, uvPath } from '../machine/uv.ts';
import { mustRun, type Ran, type RunOptions, run } from './run.ts';

type Runner = (argv: readonly string[], options?: RunOptions) => Promise<Ran>;

/** A user who has just been given this machine: no caches, no settings, an environment with nothing in it. */
export interface PythonHome {
  readonly folder: string;
  /** `pip …`, as `python -m venv` puts it into a virtual environment. */
  pip(...args: readonly string[]): Promise<Ran>;
  /** `uv …`, in `cwd` or the home, for the same environment; a project brings its own. */
  uv(args: readonly string[], cwd?: string): Promise<Ran>;
  /** A line for the shell, as documentation has it. */
  shell(line: string, cwd?: string): Promise<Ran>;
  /** What is installed, as `name==version` lines. */
  installed(environment?: string): Promise<readonly string[]>;
  /** A copy of a project, to work in. */
  take(project: string): string;
}
export interface HomeOptions {
  readonly runner?: Runner;
  /** Settings in the environment, such as `UV_DEFAULT_INDEX`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function makeHome(folder: string, { runner = run, settings = {} }: HomeOptions = {}): Promise<PythonHome> {
  mkdirSync(folder, { recursive: true });
  const home = mkdtempSync(join(folder, 'home-'));
  const virtualEnv = join(home, 'venv');
  const uv = await uvPath();
  const { PATH = '', ...inherited } = cleanEnvironment();
  const env = {
    ...inherited,
    PATH: `${dirname(uv)}:${PATH}`,
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    UV_PYTHON_DOWNLOADS: 'never',
    // One try says as much as four, sooner.
    UV_HTTP_RETRIES: '0',
    PIP_RETRIES: '0',
    ...settings,
  };
  await mustRun([uv, 'venv', '--quiet', virtualEnv], { env });
  let withPip: Promise<Ran> | undefined;
  const inEnvironment = { ...env, VIRTUAL_ENV: virtualEnv };
  return {
    folder: home,
    async pip(...args) {
      withPip ??= mustRun(['python3', '-m', 'venv', virtualEnv], { env });
      await withPip;
      return await runner([join(virtualEnv, 'bin/pip'), ...args], { cwd: home, env });
    },
    uv: (args, cwd) => runner([uv, ...args], cwd === undefined ? { cwd: home, env: inEnvironment } : { cwd, env }),
    shell: (line, cwd) => runner(['sh', '-ec', line], cwd === undefined ? { cwd: home, env: inEnvironment } : { cwd, env }),
    async installed(environment = virtualEnv) {
      const { said } = await mustRun([uv, 'pip', 'freeze', '--quiet', '--exclude', 'pip', '--exclude', 'setuptools', '--python', environment], { env });
      return said.trim().split('\n');
    },
    take(project) {
      const copy = join(mkdtempSync(join(home, 'work-')), 'project');
      cpSync(project, copy, { recursive: true });
      return copy;
    },
  };
}
