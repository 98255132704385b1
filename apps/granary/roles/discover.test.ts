import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@granary/config';
import { ecosystems } from '@granary/ecosystems';
import { expect, it } from 'vitest';
import { discoverUpstream } from './discover.ts';

it('leaves nothing behind where it asks the package managers of this machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'granary-discover-'));
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
  const config = await readConfig({}, {}, folder);

  await Promise.allSettled(ecosystems.map((ecosystem) => discoverUpstream(config, ecosystem, { ...environment, TMPDIR: folder })));

  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
}, 120_000);
