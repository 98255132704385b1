import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LoopbackUpstream, openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { type BuiltRelease, buildRelease, downloadWheels } from '../upstream/sample-projects.ts';
import { makeHome } from './python-home.ts';

/** An upstream of our own with packages that real tools built, two projects that real clients locked against it, and the configuration of a site that watches it all. */
export interface LoopbackSite extends AsyncDisposable {
  readonly upstream: LoopbackUpstream;
  readonly configFile: string;
  readonly dataDir: string;
  /** Pinned in requirements.txt with hashes. */
  readonly lamp: string;
  /** Pinned in uv.lock and in pylock.toml. */
  readonly stove: string;
  /** Locked by nobody: asks for what is newest. */
  readonly loose: string;
  /** Built, not yet published. */
  readonly next: BuiltRelease;
}

const UPLOADED = '2024-06-01T00:00:00Z';

export async function makeLoopbackSite(folder: string): Promise<LoopbackSite> {
  const upstream = await openLoopbackUpstream();
  const next = await publishAll(join(folder, 'upstream'), upstream);
  const lamp = await writeProject(folder, 'lamp', ['lantern', 'oil']);
  const stove = await writeProject(folder, 'stove', ['lantern', 'ember', 'tallow']);
  const loose = await writeProject(folder, 'loose', ['ember', 'tallow', 'wick']);
  await lockAgainst(upstream.index, folder, { lamp, stove });
  const configFile = join(folder, 'granary.yaml');
  const watch = ['pkg:pypi/ember', 'pkg:pypi/tallow', 'pkg:pypi/wick', 'lamp/requirements.txt', 'stove/uv.lock'];
  await writeFile(configFile, JSON.stringify({ watch, upstreams: { pypi: { index: upstream.index } }, data: 'data' }));
  return { upstream, configFile, dataDir: join(folder, 'data'), lamp, stove, loose, next, [Symbol.asyncDispose]: () => upstream.close() };
}

async function publishAll(folder: string, upstream: LoopbackUpstream): Promise<BuiltRelease> {
  // Before the samples: builds see the registry as it stood when a wheel was uploaded.
  for (const { project, path } of await downloadWheels(join(folder, 'tools'), ['uv', 'flit_core>=3.11,<4'])) upstream.publishPath(path, { project });
  const built = async (name: string, version: string, dependencies: readonly string[] = []) =>
    await buildRelease(join(folder, 'built'), { name, version, backend: 'flit_core', dependencies });
  const publish = ({ project, wheel, sdist }: Pick<BuiltRelease, 'project' | 'wheel' | 'sdist'>) => {
    for (const path of [sdist, wheel]) upstream.publishPath(path, { project, uploadTime: UPLOADED });
  };
  publish(await built('wick', '1.0'));
  publish(await built('lantern', '1.0', ['wick>=1']));
  for (const version of ['1.0', '1.1']) publish(await built('ember', version));
  for (const version of ['0.9', '1.0']) publish(await built('tallow', version));
  // A wheel that its own source archive does not give: `verified` must refuse it.
  const { wheel } = await built('oil', '1.0', ['wick']);
  const { sdist } = await buildRelease(join(folder, 'other'), { name: 'oil', version: '1.0', backend: 'flit_core' });
  publish({ project: 'oil', wheel, sdist });
  return await built('wick', '1.1');
}

async function writeProject(folder: string, name: string, dependencies: readonly string[]): Promise<string> {
  const project = join(folder, name);
  await mkdir(project);
  await writeFile(
    join(project, 'pyproject.toml'),
    `[project]\nname = "${name}"\nversion = "1.0"\nrequires-python = ">=3.9"\ndependencies = ${JSON.stringify(dependencies)}\n`,
  );
  return project;
}

/** As their owners would: with the real client, against upstream, outside Granary. */
async function lockAgainst(index: string, folder: string, { lamp, stove }: Pick<LoopbackSite, 'lamp' | 'stove'>): Promise<void> {
  const owner = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: index } });
  const compile = ['pip', 'compile', '--quiet', '--universal', '--no-header', 'pyproject.toml'];
  for (const [args, project] of [
    [[...compile, '--generate-hashes', '--output-file', 'requirements.txt'], lamp],
    [['lock', '--quiet'], stove],
    [[...compile, '--format', 'pylock.toml', '--output-file', 'pylock.toml'], stove],
  ] as const) {
    const { code, said } = await owner.uv(args, project);
    if (code !== 0) throw new Error(`uv ${args.join(' ')}: exit ${code}\n${said}`);
  }
}
