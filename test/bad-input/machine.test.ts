import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { whyNoIsland } from '../clients/island.ts';
import { findLeftovers } from '../kill/leftovers.ts';
import { copyButRootfs, copySite, makeSiteFolder, rootfsOf, type SiteFolder } from '../kill/site-folder.ts';
import { type Ended, granary, type RunningGranary, startGranary } from '../machine/granary.ts';
import { sdist, slowSdist, wheel } from './hostile-archives.ts';
import { type Mounts, openMounts, whyNoMounts } from './mounts.ts';
import { isPlain, openSite, readTable, type Site, verifiedEntries } from './site.ts';

// A root filesystem is made once; then two dozen processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const reason = whyNoIsland() ?? whyNoMounts();
const title = (text: string) => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
const BUILD_SECONDS = 6;
const SLOW = ['sorrel', 'tansy', 'thyme'] as const;
const BUILDING = /"event":"phase",.*"name":"build","state":"started"/;

let site: Site;
/** Holds `good`, its verdict and a root filesystem; every test works on a copy. */
let base: SiteFolder;
let mounts: Mounts;

beforeAll(async () => {
  if (reason !== undefined) return;
  mounts = openMounts();
  site = await openSite();
  const noise = { name: 'large/noise', data: randomBytes(12 * 2 ** 20) };
  const files = [
    ...['good', 'plain'].flatMap((project) => [wheel(project), sdist(project)]),
    ...SLOW.flatMap((project) => [wheel(project), slowSdist(project, BUILD_SECONDS)]),
    wheel('large', [noise]),
  ];
  for (const file of files) site.upstream.publish({ ...file, uploadTime: '2024-06-01T00:00:00Z' });
  base = await makeSiteFolder(site.folder, { index: site.upstream.index, projects: ['good'] });
  expect(readTable(await up(base)).artifacts).toContainEqual(expect.objectContaining({ filename: 'good-1.0-py3-none-any.whl', verdict: REPRODUCED }));
});
afterAll(async () => {
  mounts?.[Symbol.dispose]();
  await site?.[Symbol.asyncDispose]();
});

const REPRODUCED = expect.stringMatching(/^reproduced/);

describe.skipIf(reason !== undefined)(title('a full disk'), () => {
  const KIB = 1024;
  let small: SiteFolder;
  beforeAll(async () => {
    const root = join(site.folder, 'small');
    mounts.disk(join(root, 'data'), '600m');
    small = await copyButRootfs(base, root, watching('good', 'plain', 'large'));
    mounts.bind(rootfsOf(base), rootfsOf(small));
  });

  it.each([0, 96 * KIB, 6 * KIB * KIB])('with %i bytes of room ends up with 74, and one sentence that says where and what to do', async (room) => {
    await mounts.leave(small.data, room);

    const ended = await up(small);

    expect(ended.code, ended.stderr).toBe(74);
    expectOneSentence(ended, small, /the disk (of \S+ )?is full.*: free some space/);
  });

  it('where the resolver works is no conflict of requirements', async () => {
    mounts.resize(small.data, '700m');
    const resolver = join(small.data, 'derived/resolver');
    mounts.disk(resolver, '16k');

    const ended = await up(small);

    expect(ended.code, ended.stderr).toBe(74);
    expectOneSentence(ended, small, /: the disk of \S+\/derived\/resolver is full; nothing stored is harmed: free some space/);
    mounts.resize(resolver, '64m');
  });

  it('harms nothing that was stored, and once there is room everything is done', async () => {
    const [first, before] = [await verifiedEntries(site, base.data), await verifiedEntries(site, small.data)];

    const { artifacts, failures } = readTable(await up(small));

    for (const [kind, count] of Object.entries(first)) expect(before[kind], kind).toBeGreaterThanOrEqual(count);
    expect(failures).toEqual([]);
    expect(wheels(artifacts)).toEqual({ good: REPRODUCED, plain: REPRODUCED, large: 'source-not-found' });
    expect(await verifiedEntries(site, small.data)).toMatchObject({ verdict: 5 });
  });
});

describe.skipIf(reason !== undefined)(title('a data folder that can only be read'), () => {
  let data = '';
  beforeAll(() => {
    data = join(site.folder, 'read-only');
    mounts.readOnly(base.data, data);
  });

  it('ends what has to write with 74, and one sentence that says where and what to do', async () => {
    const commands = [
      ['up', '--once', '--config', base.config],
      ['rebuild', 'pkg:pypi/good'],
      ['catalog', 'rebuild'],
    ];

    for (const ended of await Promise.all(commands.map((command) => granary([...command, '--data', data])))) {
      expect(ended.code, ended.stderr).toBe(74);
      expectOneSentence(ended, { data }, /cannot be written: mount it writable, or give this user the right to write there$/);
    }
  });

  it('is asked and served as ever', async () => {
    const commands = [['status'], ['why', 'pkg:pypi/good'], ['diff', 'pkg:pypi/good'], ['ledger', 'check']];

    for (const { code, stdout, stderr } of await Promise.all(commands.map((command) => granary([...command, '--data', data])))) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/good|ledger/);
    }
    await using server = startGranary(['serve', '--data', data, '--listen', '127.0.0.1:0']);
    const [, address = ''] = await server.said(/serving \S+ on (http:\/\/[^;\s]+)/);
    expect(await (await fetch(`${address}/verified/pypi/simple/good/`)).text()).toContain('good-1.0-py3-none-any.whl');
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(130);
  });
});

describe.skipIf(reason !== undefined)(title('two processes on one data folder'), () => {
  it('are one too many: the second ends with 75 and names the first, which goes on', async () => {
    const shared = await copySite(base, join(site.folder, 'shared'), watching('good', 'sorrel'));
    await using first = startUp(shared);
    await first.said(BUILDING);

    const second = await up(shared);
    await first.said(/^Following upstream/m);
    first.signal('SIGINT');

    expect(second).toMatchObject({ code: 75, stdout: '' });
    expect(second.stderr).toBe(
      `granary: lock data folder: process ${first.pid} (granary up) works in ${shared.data}: stop it, or give this one a folder of its own with --data\n`,
    );
    expect(wheels(readTable(await first.ended, 130).artifacts)).toEqual({ good: REPRODUCED, sorrel: REPRODUCED });
    expect(await findLeftovers(shared)).toEqual([]);
    expect(await verifiedEntries(site, shared.data)).toMatchObject({ verdict: 4 });
  });
});

describe.skipIf(reason !== undefined)(title('Ctrl-C in the middle of builds'), () => {
  let stopped: SiteFolder;
  beforeAll(async () => {
    stopped = await copySite(base, join(site.folder, 'stopped'), watching('good', 'tansy', 'thyme'));
  });

  it('ends within seconds with 130, and leaves no process, mount, cgroup, socket or scratch file', async () => {
    await using running = startUp(stopped);
    await running.said(BUILDING);

    const seconds = await secondsToEnd(running, () => running.signal('SIGINT'));

    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/^SIGINT: stopping; once more to stop at once$/m);
    expect(isPlain(stderr)).toBe(true);
    expect(seconds).toBeLessThan(BUILD_SECONDS);
    expect(await findLeftovers(stopped)).toEqual([]);
    await verifiedEntries(site, stopped.data);
  });

  it('twice ends at once, and what that left behind goes with the next start, which does what is left to do', async () => {
    await using running = startUp(stopped);
    await running.said(BUILDING);

    const seconds = await secondsToEnd(running, async () => {
      running.signal('SIGINT');
      await running.said(/SIGINT: stopping/);
      // As fast as fingers are, and not as what hands one signal on.
      await sleep(600);
      running.signal('SIGINT');
    });
    const { artifacts, failures } = readTable(await up(stopped));

    expect((await running.ended).code).toBe(130);
    expect(seconds).toBeLessThan(BUILD_SECONDS / 2);
    expect(failures).toEqual([]);
    expect(wheels(artifacts)).toEqual({ good: REPRODUCED, tansy: REPRODUCED, thyme: REPRODUCED });
    expect(await findLeftovers(stopped)).toEqual([]);
  });

  it('and done: one more start is soon over, and records nothing but that it looked', async () => {
    const before = await verifiedEntries(site, stopped.data);

    const { seconds } = readTable(await up(stopped));

    expect(seconds).toBeLessThan(20);
    expect(await verifiedEntries(site, stopped.data)).toEqual({ ...before, polled: (before['polled'] ?? 0) + 1 });
  });
});

function watching(...projects: readonly string[]) {
  return { index: site.upstream.index, projects };
}

async function up(folder: SiteFolder): Promise<Ended> {
  return await granary(['up', '--once', ...common(folder)], { env: { TMPDIR: folder.temporary } });
}

function startUp(folder: SiteFolder): RunningGranary {
  return startGranary(['up', '--events', ...common(folder)], { env: { TMPDIR: folder.temporary } });
}

function common({ config, data }: SiteFolder): readonly string[] {
  return ['--json', '--config', config, '--data', data];
}

async function secondsToEnd({ ended }: RunningGranary, signal: () => void | Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await signal();
  await ended;
  return (performance.now() - startedAt) / 1000;
}

/** After what was told of progress, standard error ends in one sentence of ours that names the folder. */
function expectOneSentence({ stdout, stderr }: Ended, { data }: Pick<SiteFolder, 'data'>, sentence: RegExp): void {
  expect(stdout).toBe('');
  expect(isPlain(stderr), stderr).toBe(true);
  expect(stderr.match(/^granary: /gm)).toHaveLength(1);
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  expect(last).toMatch(/^granary: /);
  expect(last).toMatch(sentence);
  expect(last).toContain(data);
}

/** Verdicts by project. */
function wheels(artifacts: ReturnType<typeof readTable>['artifacts']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    artifacts.filter(({ filename }) => filename.endsWith('.whl')).map(({ filename, verdict }) => [filename.split('-', 1)[0] ?? '', verdict]),
  );
}
