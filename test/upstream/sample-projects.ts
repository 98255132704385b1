import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment, uvPath } from '../machine/uv.ts';

const run = promisify(execFile);

/** A release that real tools built: its wheel, its source archive. */
export interface BuiltRelease {
  readonly project: string;
  readonly version: string;
  readonly wheel: string;
  readonly sdist: string;
}
export type Backend = 'flit_core' | 'hatchling' | 'setuptools' | 'poetry-core';

const BUILD_SYSTEM: Readonly<Record<Backend, string>> = {
  flit_core: '[build-system]\nrequires = ["flit_core>=3.11,<4"]\nbuild-backend = "flit_core.buildapi"\n',
  hatchling: '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
  setuptools: '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n',
  'poetry-core': '[build-system]\nrequires = ["poetry-core>=2"]\nbuild-backend = "poetry.core.masonry.api"\n',
};

/** Writes a small project and builds it with `uv build`, as a publisher would on a clean machine. */
export async function buildRelease(
  folder: string,
  project: { readonly name: string; readonly version: string; readonly backend: Backend; readonly dependencies?: readonly string[] },
): Promise<BuiltRelease> {
  const { name, version, backend, dependencies = [] } = project;
  const root = join(folder, `${name}-${version}`);
  const module = name.replaceAll('-', '_');
  await mkdir(join(root, 'src', module), { recursive: true });
  await writeFile(
    join(root, 'src', module, '__init__.py'),
    `"""${name}, for tests."""\n__version__ = "${version}"\n\n\ndef answer() -> str:\n    return "${name} ${version}"\n`,
  );
  await writeFile(join(root, 'README.md'), `# ${name}\n`);
  const metadata = `[project]\nname = "${name}"\nversion = "${version}"\ndescription = "${name}, for tests"\nreadme = "README.md"\nlicense = "MIT"\nrequires-python = ">=3.9"\ndependencies = ${JSON.stringify(dependencies)}\n`;
  await writeFile(join(root, 'pyproject.toml'), `${metadata}\n${BUILD_SYSTEM[backend]}`);
  const out = join(folder, 'dist', `${name}-${version}`);
  await run(await uvPath(), ['build', '--quiet', '--no-config', '--out-dir', out, root], {
    env: { ...cleanEnvironment(), SOURCE_DATE_EPOCH: '1700000000', UV_CACHE_DIR: join(folder, 'uv-cache') },
    timeout: 240_000,
  });
  const files = await readdir(out);
  const find = (suffix: string) => join(out, files.find((file) => file.endsWith(suffix)) ?? `missing${suffix}`);
  return { project: name, version, wheel: find('.whl'), sdist: find('.tar.gz') };
}

/** Wheels of real packages and everything they need, for the sandbox's platform: what the loopback upstream carries beside the samples. */
export async function downloadWheels(folder: string, requirements: readonly string[]): Promise<readonly { readonly project: string; readonly path: string }[]> {
  await mkdir(folder, { recursive: true });
  const python = process.env['GRANARY_TEST_PYTHON'] ?? 'python3';
  const platform = [
    '--only-binary',
    ':all:',
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--platform',
    'manylinux2014_x86_64',
    '--platform',
    'manylinux_2_17_x86_64',
    '--platform',
    'any',
  ];
  await run(python, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input', ...platform, '--dest', folder, ...requirements], {
    env: cleanEnvironment(),
    timeout: 240_000,
  });
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.whl'))
    .map((file) => ({ project: (file.split('-')[0] ?? '').replace(/[-_.]+/g, '-').toLowerCase(), path: join(folder, file) }));
}
