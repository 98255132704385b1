import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openUvResolver } from './uv-resolver.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-resolver-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const REQUEST = { requirements: ['lamp'], indexUrl: 'http://127.0.0.1:1/simple/', runtimeVersion: '3.11', scope: 'universal' } as const;

/** A resolver whose tool is a script. */
async function resolverOf(script: string, timeoutMs?: number) {
  const uv = join(folder, 'uv');
  await writeFile(uv, `#!/bin/sh\n${script}\n`);
  await chmod(uv, 0o755);
  return openUvResolver({ uv, scratchDir: folder, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

describe('a resolver that is ended', () => {
  it('says that it took too long', async () => {
    await expect((await resolverOf('exec sleep 60', 200)).resolve(REQUEST)).rejects.toMatchObject({
      code: 'killed',
      message: 'resolve: uv was ended after 0.2 s',
    });
  });

  it('says by what it was ended where that was somebody else', async () => {
    await expect((await resolverOf('kill -INT $$')).resolve(REQUEST)).rejects.toMatchObject({ code: 'killed', message: 'resolve: uv was ended by SIGINT' });
  });

  it('says why, where whoever asked wants no answer any more', async () => {
    const reason = new Error('the process ends');
    const resolver = await resolverOf('exec sleep 60');

    await expect(resolver.resolve({ ...REQUEST, signal: AbortSignal.any([AbortSignal.abort(reason)]) })).rejects.toBe(reason);
  });
});

it('is in a group of its own: a Ctrl-C is not meant for it', async () => {
  const resolver = await resolverOf(`ps -o pgid= -p $$ > ${'"$HOME"'}/../group; echo lamp==1.0`);

  expect(await resolver.resolve(REQUEST)).toEqual({ ok: true, pins: [{ name: 'lamp', version: '1.0' }] });
  const group = Number(await readFile(join(folder, 'group'), 'utf8'));
  expect(group).toBeGreaterThan(0);
  expect(() => process.kill(-group, 0)).toThrow('ESRCH');
});
