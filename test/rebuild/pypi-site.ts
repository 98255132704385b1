import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment, uvPath } from '../machine/uv.ts';
import { type LoopbackForge, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { type LoopbackUpstream, openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { downloadWheels } from '../upstream/sample-projects.ts';

const run = promisify(execFile);

/** Projects of Python on a forge of our own, and what their publisher made of them on an index of our own, by the real tools. */
export interface PypiSite extends AsyncDisposable {
  /** Of one site: without the repositories that packages name, and with them. */
  readonly withoutRepositories: string;
  readonly withRepositories: string;
}
/** Files by path. */
type Files = Readonly<Record<string, string>>;
interface Project {
  readonly name: string;
  readonly files: Files;
  /** Beside what is committed, or over it, when the release is built. */
  readonly planted?: Files;
  /** SOURCE_DATE_EPOCH of the publisher, where they set it. */
  readonly epoch?: string;
}
interface Places {
  readonly folder: string;
  readonly forge: LoopbackForge;
  readonly upstream: LoopbackUpstream;
}

const TOOLS = ['uv', 'flit_core>=3.11,<4', 'hatchling', 'setuptools>=77,<81', 'setuptools-scm>=8,<9'];
const UPLOADED = '2026-06-01T00:00:00Z';
const FLIT = '[build-system]\nrequires = ["flit_core>=3.11,<4"]\nbuild-backend = "flit_core.buildapi"\n';
const HATCH = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n';
const SETUPTOOLS =
  '[build-system]\nrequires = ["setuptools>=77,<81", "setuptools-scm>=8,<9"]\nbuild-backend = "setuptools.build_meta"\n\n[tool.setuptools_scm]\nversion_file = "src/wick/_version.py"\n';

export async function openPypiSite(folder: string): Promise<PypiSite> {
  const opened = new AsyncDisposableStack();
  const upstream = opened.use(await openLoopbackUpstream());
  const forge = await openLoopbackForge(join(folder, 'forge'));
  opened.defer(() => forge.close());
  for (const { project, path } of await downloadWheels(join(folder, 'tools'), TOOLS)) upstream.publishPath(path, { project });
  const projects = sampleProjects();
  for (const project of projects) await release({ folder, forge, upstream }, project);
  const configFile = async (mirror: 'watched' | 'named-by-packages') => {
    const path = join(folder, `${mirror}.yaml`);
    const repositories = { mirror, insteadOf: { 'https://forge.example/': forge.base } };
    const watch = projects.map(({ name }) => `pkg:pypi/${name}`);
    await writeFile(path, JSON.stringify({ watch, upstreams: { pypi: { index: upstream.index } }, repositories, data: 'data' }));
    return path;
  };
  return {
    withoutRepositories: await configFile('watched'),
    withRepositories: await configFile('named-by-packages'),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function sampleProjects(): readonly Project[] {
  const code = (name: string) => ({ [`src/${name}/__init__.py`]: `"""${name}, for tests."""\n`, [`src/${name}/work.py`]: 'def work():\n    return "done"\n' });
  return [
    { name: 'lamp', files: { ...code('lamp'), 'pyproject.toml': pyproject('lamp', FLIT) }, epoch: '1700000000' },
    { name: 'oven', files: { ...code('oven'), 'pyproject.toml': pyproject('oven', HATCH), 'tests/test_work.py': 'import oven\n', '.gitignore': 'dist/\n' } },
    {
      name: 'wick',
      files: {
        ...code('wick'),
        'pyproject.toml': pyproject('wick', SETUPTOOLS).replace('version = "1.0.0"', 'dynamic = ["version"]'),
        'docs/guide.txt': 'guide\n',
        '.gitignore': 'src/wick/_version.py\n*.egg-info/\n',
      },
    },
    // As it was with xz: what the publisher put into the archives stands in no commit.
    {
      name: 'ember',
      files: { ...code('ember'), 'pyproject.toml': pyproject('ember', FLIT) },
      planted: { 'src/ember/planted.py': 'print("planted")\n' },
    },
    {
      name: 'tallow',
      files: { ...code('tallow'), 'pyproject.toml': pyproject('tallow', FLIT) },
      planted: { 'src/tallow/work.py': 'def work():\n    return "bone"\n' },
    },
  ];
}

function pyproject(name: string, buildSystem: string): string {
  return `[project]
name = "${name}"
version = "1.0.0"
description = "${name}, for tests"
readme = "README.md"
requires-python = ">=3.9"

[project.urls]
Source = "https://forge.example/owner/${name}"

${buildSystem}`;
}

async function release({ folder, forge, upstream }: Places, { name, files, planted = {}, epoch }: Project): Promise<void> {
  const repository = await forge.create(`owner/${name}`);
  const work = (await repository.git('rev-parse', '--show-toplevel')).trim();
  await write(work, { ...files, 'README.md': `# ${name}\n`, LICENSE: 'Do as you like.\n' });
  await repository.git('add', '.');
  await repository.git('commit', '--quiet', '--message', 'release');
  await repository.git('tag', '1.0.0');
  await repository.git('push', '--quiet', 'origin', 'main', '1.0.0');
  await write(work, planted);
  const out = join(folder, 'dist', name);
  const env = { ...cleanEnvironment(), UV_CACHE_DIR: join(folder, 'uv-cache'), ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch }) };
  await run(await uvPath(), ['build', '--quiet', '--no-config', '--default-index', upstream.index, '--out-dir', out, work], { env, timeout: 240_000 });
  for (const file of await readdir(out)) if (/\.(whl|tar\.gz)$/.test(file)) upstream.publishPath(join(out, file), { project: name, uploadTime: UPLOADED });
}

async function write(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
