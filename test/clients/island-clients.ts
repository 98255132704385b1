import { expect } from 'vitest';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import type { Island } from './island.ts';
import { makeHome, type PythonHome } from './python-home.ts';
import { mustRun, type Ran } from './run.ts';

/** A user on the island whose clients are told one thing: the index of the mirror's view. */
export async function homeOn(island: Island, view: 'all' | 'verified', folder: string): Promise<PythonHome> {
  const index = `${island.address}${view === 'all' ? '' : `/${view}`}/pypi/simple/`;
  return await makeHome(folder, { runner: island.run, settings: { PIP_INDEX_URL: index, UV_DEFAULT_INDEX: index } });
}

/** What doctor tells users of locks to run. */
export interface Remedies {
  readonly relock: string;
  readonly keepLock: string;
  readonly remakePylock: string;
}

/** As they stand in what doctor prints, between backticks. */
export async function remediesOf(configFile: string): Promise<Remedies> {
  const { said } = await mustRun(granaryArgv('doctor', '--config', configFile), { env: granaryEnvironment() });
  const commands = [...said.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command);
  const find = (beginning: string): string => {
    const command = commands.find((line) => line.startsWith(beginning));
    if (command === undefined) throw new Error(`doctor names no remedy that begins with ${beginning}:\n${said}`);
    return command;
  };
  return { relock: find('uv lock'), keepLock: find('uv export'), remakePylock: find('uv pip compile') };
}

/** Of the newest such file that the mirror holds, in a view that may refuse it. */
export async function addressOf(island: Island, file: { readonly project: string; readonly name: RegExp; readonly view: string }): Promise<string> {
  const print = 'fetch(process.argv[1], { headers: { accept: process.argv[2] } }).then(async (page) => console.log(await page.text()))';
  const page = await island.run([process.execPath, '-e', print, `${island.address}/pypi/simple/${file.project}/`, 'application/vnd.pypi.simple.v1+json']);
  const paths = [...page.said.matchAll(/"url":"[./]*(packages\/[^"]*)"/g)].map(([, path = '']) => path);
  return `${island.address}/${file.view}/pypi/${paths.findLast((path) => file.name.test(path))}`;
}

/** A lock as uv says it without addresses: versions and hashes. */
export async function exported(home: PythonHome, project: string): Promise<string> {
  const ran = await home.uv(['export', '--quiet', '--frozen', '--no-header', '--no-emit-project', '--no-annotate'], project);
  expect(ran.code, ran.said).toBe(0);
  return ran.said;
}

export function succeeded({ code, said }: Ran, what: string): void {
  expect(code, `${what}: exit ${code}\n${said}`).toBe(0);
}
