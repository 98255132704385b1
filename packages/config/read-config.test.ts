import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from './read-config.ts';

async function read(text: string, environment = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'granary-config-'));
  await writeFile(join(folder, 'granary.yaml'), text);
  return { folder, config: readConfig({}, environment, folder) };
}

it('reads purls, lockfiles and defaults', async () => {
  const { folder, config } = await read('watch:\n  - pkg:pypi/six\n  - app/uv.lock\n  - package: pkg:pypi/flask\n    files: ["*.whl"]\n');

  expect(await config).toMatchObject({
    listen: '127.0.0.1:8080',
    dataDir: join(folder, 'data'),
    watch: [
      { specification: 'pkg:pypi/six' },
      { specification: 'app/uv.lock', path: join(folder, 'app/uv.lock') },
      { specification: 'pkg:pypi/flask', files: ['*.whl'] },
    ],
  });
});

it('prefers the environment to the file', async () => {
  const { config } = await read('listen: 127.0.0.1:1\n', { GRANARY_LISTEN: '127.0.0.1:2', GRANARY_DATA: '/var/lib/granary' });

  expect(await config).toMatchObject({ listen: '127.0.0.1:2', dataDir: '/var/lib/granary' });
});

it('says file, line and what was expected', async () => {
  await expect((await read('watch:\n  - pkg:pypi/six\nlisten: nowhere\n')).config).rejects.toThrow(/granary\.yaml:3:9: listen: expected HOST:PORT/);
  await expect((await read('watch: [\n')).config).rejects.toThrow(/granary\.yaml:2:1: not YAML/);
  await expect((await read('follow:\n  every: 3\n')).config).rejects.toThrow(/granary\.yaml:2:\d+: follow/);
});

it('names the file that does not exist', async () => {
  await expect(readConfig({ file: 'missing.yaml' }, {}, tmpdir())).rejects.toThrow(/missing\.yaml: can't be read; name an existing file/);
});
