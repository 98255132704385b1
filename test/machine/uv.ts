import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
let found: Promise<string> | undefined;

/** The machine's uv, or the one that `examples/make-lock` would use: installed into `.toolchain` once. */
export function uvPath(): Promise<string> {
  found ??= findUv();
  return found;
}

/** The environment less the user's settings of pip and uv: tests must not depend on them. */
export function cleanEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(PIP_(?!CERT)|UV_|PYTHON|VIRTUAL_ENV)/.test(name) ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(inherited), UV_SYSTEM_CERTS: 'true', UV_NO_PROGRESS: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
}

async function findUv(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) if (await exists(join(folder, 'uv'))) return join(folder, 'uv');
  const local = join(root, '.toolchain/uv');
  if (!(await exists(join(local, 'bin/uv')))) {
    await run('python3', ['-m', 'venv', local]);
    await run(join(local, 'bin/python'), ['-m', 'pip', '--quiet', 'install', 'uv'], { env: cleanEnvironment() });
  }
  return join(local, 'bin/uv');
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
