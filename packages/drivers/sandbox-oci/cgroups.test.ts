import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCgroups, limitFiles } from './cgroups.ts';
import { LIMITS } from './test/open-for-test.ts';

const line = (type: string, point: string, options: string, root = '/') => `30 24 0:26 ${root} ${point} rw,relatime shared:9 - ${type} ${type} rw,${options}`;

describe('finding cgroups', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'granary-cgroups-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('finds a hierarchy per controller beside our own place in version 1', async () => {
    const mounts = ['memory', 'pids', 'cpu'].map((name) => line('cgroup', `/sys/fs/cgroup/${name}`, name)).join('\n');

    expect(await findCgroups(mounts, '9:name=systemd:/\n8:pids:/\n4:memory:/service\n1:cpu:/\n0::/\n')).toEqual({
      version: 1,
      parents: [
        { folder: '/sys/fs/cgroup/memory/service', controllers: ['memory'] },
        { folder: '/sys/fs/cgroup/pids', controllers: ['pids'] },
        { folder: '/sys/fs/cgroup/cpu', controllers: ['cpu'] },
      ],
    });
  });

  it('knows controllers that are mounted together', async () => {
    const mounts = [line('cgroup', '/cg/cpu,cpuacct', 'cpu,cpuacct'), line('cgroup', '/cg/all', 'memory,pids')].join('\n');

    expect(await findCgroups(mounts, '2:cpu,cpuacct:/a\n3:memory,pids:/b\n')).toMatchObject({
      parents: [
        { folder: '/cg/all/b', controllers: ['memory', 'pids'] },
        { folder: '/cg/cpu,cpuacct/a', controllers: ['cpu'] },
      ],
    });
  });

  it('sees only its part of the hierarchy inside a container', async () => {
    const mounts = ['memory', 'pids', 'cpu'].map((name) => line('cgroup', `/sys/fs/cgroup/${name}`, name, '/docker/abc')).join('\n');

    expect((await findCgroups(mounts, '1:memory:/docker/abc/job\n2:pids:/docker/abc\n3:cpu:/docker/abc\n'))?.parents.map((parent) => parent.folder)).toEqual([
      '/sys/fs/cgroup/memory/job',
      '/sys/fs/cgroup/pids',
      '/sys/fs/cgroup/cpu',
    ]);
  });

  it('takes the cgroup above our own in version 2, where that passes its controllers on', async () => {
    mkdirSync(join(folder, 'system.slice/granary.service'), { recursive: true });
    writeFileSync(join(folder, 'system.slice/cgroup.subtree_control'), 'cpu io memory pids\n');

    expect(await findCgroups(line('cgroup2', folder, 'nsdelegate'), '0::/system.slice/granary.service\n')).toEqual({
      version: 2,
      parents: [{ folder: join(folder, 'system.slice'), controllers: ['memory', 'pids', 'cpu'] }],
    });
  });

  it('finds nothing where a controller is missing', async () => {
    mkdirSync(join(folder, 'service'));
    writeFileSync(join(folder, 'cgroup.subtree_control'), 'memory pids\n');

    expect(await findCgroups(line('cgroup2', folder, 'nsdelegate'), '0::/service\n')).toBeUndefined();
    expect(await findCgroups('', '')).toBeUndefined();
  });
});

it('writes the same limits in both versions', () => {
  expect(limitFiles(1, { ...LIMITS, cpus: 1.5 })).toMatchObject({
    cpu: [
      ['cpu.cfs_period_us', '100000'],
      ['cpu.cfs_quota_us', '150000'],
    ],
    pids: [['pids.max', '64']],
  });
  expect(limitFiles(2, { ...LIMITS, cpus: 1.5 })).toMatchObject({ cpu: [['cpu.max', '150000 100000']], memory: [['memory.max', '268435456']] });
});
