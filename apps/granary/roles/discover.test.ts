import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@granary/config';
import type { Ecosystem } from '@granary/contract/ecosystem';
import { ecosystems } from '@granary/ecosystems';
import { expect, it } from 'vitest';
import { discoverUpstream } from './discover.ts';

const told = { index: 'https://registry.example/', files: [], settings: { GOSUMDB: 'sum.example+00000000+key', GONOSUMDB: 'private.example' } };
/** Says what a package manager would. */
const [anyone] = ecosystems;
if (anyone === undefined) throw new RangeError('no ecosystem');
const tells: Ecosystem = { ...anyone, id: 'golang', discovery: { argv: ['echo', JSON.stringify(told)], parse: (output: string) => JSON.parse(output) } };

it('asks whom the package manager trusts also where the configuration has another address, and goes by the configuration first', async () => {
  const upstreams = { golang: { index: 'https://proxy.example', settings: { GONOSUMDB: 'acme.example' } } };

  expect(await discovered(upstreams)).toMatchObject({
    index: 'https://proxy.example/',
    from: 'configuration',
    settings: { GOSUMDB: 'sum.example+00000000+key', GONOSUMDB: 'acme.example' },
  });
  expect(await discovered({})).toMatchObject({ index: 'https://registry.example/', from: 'this machine', settings: told.settings });
});

it('needs no package manager where the configuration has an address', async () => {
  const none: Ecosystem = { ...tells, discovery: { ...tells.discovery, argv: ['false'] } };

  expect(await discovered({ golang: { index: 'https://proxy.example/' } }, none)).toMatchObject({ index: 'https://proxy.example/', settings: {} });
  await expect(discovered({}, none)).rejects.toThrow(/set upstreams\.golang\.index/);
});

async function discovered(upstreams: object, ecosystem = tells) {
  const folder = await mkdtemp(join(tmpdir(), 'granary-discover-'));
  try {
    await writeFile(join(folder, 'granary.yaml'), JSON.stringify({ upstreams }));
    return await discoverUpstream(await readConfig({}, {}, folder), ecosystem, { PATH: process.env['PATH'], HOME: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}
