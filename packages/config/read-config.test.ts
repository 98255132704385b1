import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

it('fetches nothing for clients unless it is told what, and then within bounds', async () => {
  const { config } = await read('');
  const { config: on } = await read('pullThrough: {ecosystems: [npm], deny: ["pkg:npm/@acme/*"], maxBytesPerDay: 1GB}\n');

  expect((await config).pullThrough).toBe(undefined);
  expect((await on).pullThrough).toEqual({ ecosystems: ['npm'], deny: ['pkg:npm/@acme/*'], maxBytesPerDay: 1e9, maxArtifactBytes: 2 ** 30 });
  await expect((await read('pullThrough: {ecosystems: [npm], allow: [express]}\n')).config).rejects.toThrow(/pullThrough\.allow\.0: expected a package URL/);
  await expect((await read('pullThrough: {ecosystems: []}\n')).config).rejects.toThrow(/pullThrough\.ecosystems: expected at least one/);
});

it('lets everybody read, unless the file or the environment says that only who is registered may', async () => {
  const configured = await Promise.all([read(''), read('readers: registered\n'), read('', { GRANARY_READERS: 'registered' })]);

  expect((await Promise.all(configured.map(({ config }) => config))).map(({ readers }) => readers)).toEqual(['anyone', 'registered', 'registered']);
  await expect((await read('readers: somebody\n')).config).rejects.toThrow(/granary\.yaml:1:10: readers: expected anyone or registered/);
});

it('knows no advisories unless it is told of a folder, from where the file lies', async () => {
  const { config } = await read('');
  const { folder, config: on } = await read('advisories: {folder: osv}\n');

  expect((await config).advisories).toBe(undefined);
  expect((await on).advisories).toEqual({ folder: join(folder, 'osv') });
  await expect((await read('advisories: {file: osv.zip}\n')).config).rejects.toThrow(/advisories: unknown: file; expected one of folder/);
});

it('has no roots of trust unless it is told of a file, from where its own lies', async () => {
  const { config } = await read('');
  const { folder, config: on } = await read('sigstore: {trustedRoot: trust/trusted_root.json}\n');

  expect((await config).sigstore).toBe(undefined);
  expect((await on).sigstore).toEqual({ trustedRoot: join(folder, 'trust/trusted_root.json') });
  await expect((await read('sigstore: {root: x}\n')).config).rejects.toThrow(/sigstore: unknown: root; expected one of trustedRoot/);
});

describe('where things lie', () => {
  const S3 = 'store: {s3: {endpoint: "https://s3.example", publicBucket: granary-public, privateBucket: granary-private}}\n';
  const KEYS = { AWS_ACCESS_KEY_ID: 'someone', AWS_SECRET_ACCESS_KEY: 'secret' };

  it('is the data folder, unless it is said', async () => {
    const { folder, config } = await read('');

    expect(await config).toMatchObject({
      keysDir: join(folder, 'data/keys'),
      store: { type: 'folder', path: join(folder, 'data') },
      lock: { type: 'sqlite', file: join(folder, 'data/ledger-heads.sqlite') },
      queue: { type: 'process' },
    });
  });

  it('is a folder that processes share, with the queue in Redis', async () => {
    const { folder, config } = await read('store: {folder: shared}\nkeys: secrets\nqueue: {redis: {url: "redis://127.0.0.1:1"}}\n');

    expect(await config).toMatchObject({
      keysDir: join(folder, 'secrets'),
      store: { type: 'folder', path: join(folder, 'shared') },
      lock: { type: 'sqlite', file: join(folder, 'shared/ledger-heads.sqlite') },
      queue: { type: 'redis', url: 'redis://127.0.0.1:1', prefix: 'granary' },
    });
  });

  it('takes addresses and secrets from the environment first', async () => {
    const { config } = await read(`${S3}lock: {postgres: {url: "postgres://file"}}\nqueue: {redis: {}}\n`, {
      ...KEYS,
      GRANARY_POSTGRES_URL: 'postgres://environment',
      GRANARY_REDIS_URL: 'redis://environment',
    });

    expect(await config).toMatchObject({
      store: { type: 's3', region: 'eu-central-1', accessKey: 'someone', secretKey: 'secret' },
      lock: { type: 'postgres', url: 'postgres://environment' },
      queue: { url: 'redis://environment' },
    });
  });

  it('may be said by the environment alone, in YAML', async () => {
    const { config } = await read('store: {folder: elsewhere}\n', {
      GRANARY_STORE: '{folder: /srv/shared}',
      GRANARY_QUEUE: '{redis: {url: "redis://127.0.0.1:2"}}',
      GRANARY_KEYS: '/etc/granary/keys',
      GRANARY_PUBLIC_URL: 'https://mirror.example',
    });

    expect(await config).toMatchObject({
      store: { path: '/srv/shared' },
      queue: { url: 'redis://127.0.0.1:2' },
      keysDir: '/etc/granary/keys',
      publicUrl: 'https://mirror.example',
    });
    await expect((await read('', { GRANARY_STORE: '{bucket: x}' })).config).rejects.toThrow(/^GRANARY_STORE: expected \{folder: PATH\}/);
    await expect((await read('', { GRANARY_LOCK: '{' })).config).rejects.toThrow(/^GRANARY_LOCK: .+ what lock: holds in granary\.yaml/);
  });

  it('knows when nothing decides who writes the ledgers', async () => {
    const { config } = await read(S3, KEYS);

    expect((await config).lock).toMatchObject({ type: 'none', why: expect.stringContaining('no lock is configured') });
  });

  it.each([
    [S3, /granary\.yaml:1:\d+: store\.s3: expected AWS_ACCESS_KEY_ID/, {}],
    [`${S3}lock: {sqlite: {}}\n`, /granary\.yaml:2:\d+: lock\.sqlite: the ledgers lie in S3/, KEYS],
    ['lock: {s3: {}}\n', /granary\.yaml:1:\d+: lock\.s3: the store is a folder/, {}],
    ['lock: {postgres: {}}\n', /granary\.yaml:1:\d+: lock\.postgres: expected a url, or GRANARY_POSTGRES_URL/, {}],
    ['queue: {redis: {}}\n', /granary\.yaml:1:\d+: queue\.redis: expected a url, or GRANARY_REDIS_URL/, {}],
    ['store: {s3: {endpoint: nowhere, publicBucket: a, privateBucket: b}}\n', /granary\.yaml:1:\d+: store/, KEYS],
  ])('says file, line and what is missing: %s', async (text, message, environment) => {
    await expect((await read(text, environment)).config).rejects.toThrow(message);
  });
});
