import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { StoredBody, sha256 } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { checkGitHost } from '@granary/driver-git-native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findGitLfs } from '../machine/git-lfs.ts';
import { type ForgeRepository, type LoopbackForge, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { type LoopbackLfs, openLoopbackLfs } from '../upstream/loopback-lfs.ts';
import { clientSuite } from './client-suite.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { run } from './run.ts';
import { type RunningMirror, shownWithin, startMirror } from './running-mirror.ts';

const execute = promisify(execFile);
const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const SHOWN_WITHIN_MS = 60_000;
const LAMP = 'pkg:git/forge.example/owner/lamp';
const LARGE = randomBytes(3_000_000);
const OLD = randomBytes(100_000);
const LATER = randomBytes(200_000);
const LOST = randomBytes(1000);

const [host, lfs] = [await checkGitHost(), await findGitLfs()];
let folder = '';
let forge: LoopbackForge;
let files: LoopbackLfs;
let lamp: ForgeRepository;
let work = '';

const suite = clientSuite({ name: 'git-lfs', reason: reasonToSkip(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  forge = await openLoopbackForge(join(folder, 'forge'));
  opened.defer(() => forge.close());
  files = await openLoopbackLfs(join(folder, 'forge/served'), forge.base);
  opened.defer(() => files.close());
  await git('lfs', 'install', '--skip-repo');
  const bulb = await forge.create('owner/bulb');
  await bulb.git('commit', '--quiet', '--allow-empty', '--message', 'bulb');
  await bulb.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  const bulbTip = (await bulb.git('rev-parse', 'HEAD')).trim();
  lamp = await forge.create('owner/lamp');
  work = (await lamp.git('rev-parse', '--show-toplevel')).trim();
  await commit({ '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'assets/old.bin': OLD });
  await git('-C', work, 'tag', 'v1');
  for (const [path, id] of [
    ['libs/bulb', bulbTip],
    ['libs/gone', bulbTip],
    ['libs/odd', bulbTip],
  ] as const)
    await git('-C', work, 'update-index', '--add', '--cacheinfo', `160000,${id},${path}`);
  const section = (path: string, url: string) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;
  const modules = [section('libs/bulb', '../bulb.git'), section('libs/gone', 'https://forge.example/owner/gone'), section('libs/odd', 'ext::sh -c true')];
  await rm(join(work, 'assets/old.bin'));
  await commit({ '.gitmodules': modules.join(''), 'assets/large.bin': LARGE, 'small.txt': 'small\n' });
  await git('-C', work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main', 'v1');
  await writeFile(
    join(folder, 'granary.yaml'),
    JSON.stringify({
      data: 'data',
      watch: ['https://forge.example/owner/lamp'],
      follow: { intervalSeconds: 1 },
      repositories: { insteadOf: { 'https://forge.example/': files.base }, lfs: { maxObjectBytes: '5MB', maxTotalBytes: '1GiB' } },
    }),
  );
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror of a repository with large files and submodules'), () => {
  let running: RunningMirror;
  beforeAll(async () => {
    running = await startMirror(join(folder, 'granary.yaml'));
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'has the files that its tips point to, and git-lfs gets them like those of any server',
    async () => {
      expect(held()).toEqual([LARGE, OLD].map((bytes) => `${sha256(bytes)} ${bytes.length}`).toSorted());

      const place = await cloned('whole', addressOf('all'));

      expect((await readFile(join(place, 'assets/large.bin'))).equals(LARGE)).toBe(true);
      expect(await git('-C', place, 'lfs', 'ls-files', '--long')).toBe(`${sha256(LARGE)} * assets/large.bin\n`);
      await git('-C', place, 'checkout', '--quiet', 'v1');
      expect((await readFile(join(place, 'assets/old.bin'))).equals(OLD)).toBe(true);
      expect(await git('-C', place, 'lfs', 'fsck')).toMatch(/OK/);
    },
    TEST_MS,
  );

  it(
    'has its submodules, and says which it hasn’t',
    async () => {
      const bulb = `${running.address}/all/git/forge.example/owner/bulb`;
      const isThere = async () =>
        await git('ls-remote', bulb).then(
          (listed) => listed.includes('refs/heads/main'),
          () => false,
        );

      expect(await shownWithin(SHOWN_WITHIN_MS, isThere, true)).toBe(true);

      const place = await cloned('with-bulb', addressOf('all'));
      await git('-C', place, 'submodule', '--quiet', 'update', '--init', 'libs/bulb');
      expect(await git('-C', place, 'submodule', 'status', 'libs/bulb')).toMatch(/^ [0-9a-f]{40} libs\/bulb/);
      const status = await granary('status');
      expect(status).toMatch(/lamp: 1 submodules held, and not:\n {2}pkg:git\/forge\.example\/owner\/gone: /);
      expect(status).toContain(`${LAMP}: 1 things that its trees name can not be followed`);
      const why = await granary('why', LAMP);
      expect(why).toContain('submodule pkg:git/forge.example/owner/bulb: held');
      expect(why).toContain('submodule pkg:git/forge.example/owner/gone: not held');
      expect(why).toContain(`2 large files of ${LARGE.length + OLD.length} bytes`);
    },
    TEST_MS,
  );

  it(
    'says what it has not of large files, and why, and has the rest',
    async () => {
      await commit({ 'assets/later.bin': LATER, 'assets/lost.bin': LOST, 'assets/huge.bin': Buffer.alloc(6_000_000, 1) });
      await git('-C', work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
      await rm(placeOf(LOST));
      const tip = (await git('-C', work, 'rev-parse', 'HEAD')).trim();

      await shownWithin(SHOWN_WITHIN_MS, () => git('ls-remote', addressOf('all'), 'refs/heads/main'), `${tip}\trefs/heads/main\n`);

      expect(held()).toContain(`${sha256(LATER)} ${LATER.length}`);
      expect(await granary('status')).toMatch(
        /not complete[\s\S]*lamp: 2 of 5 large files are not held: 1 not there upstream, 1 larger than repositories\.lfs\.maxObjectBytes/,
      );
      expect(await said('clone', '--quiet', addressOf('all'), join(folder, 'partly'))).toContain(`Granary does not hold this large file of ${LAMP}`);
    },
    TEST_MS,
  );

  it(
    'has a large file once upstream has it again, though no ref changed',
    async () => {
      await writeFile(placeOf(LOST), LOST);
      const isHeld = async () => held().includes(`${sha256(LOST)} ${LOST.length}`);

      expect(await shownWithin(SHOWN_WITHIN_MS, isHeld, true)).toBe(true);

      expect(files.sent.filter((oid) => oid === sha256(LATER))).toHaveLength(1);
      expect(await granary('why', LAMP)).toContain('the same refs, and other large files');
      await commit({ 'assets/huge.bin': 'no longer\n' });
      await git('-C', work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
      const tip = (await git('-C', work, 'rev-parse', 'HEAD')).trim();
      await shownWithin(SHOWN_WITHIN_MS, () => git('ls-remote', addressOf('all'), 'refs/heads/main'), `${tip}\trefs/heads/main\n`);
      expect((await readFile(join(await cloned('healed', addressOf('all')), 'assets/lost.bin'))).equals(LOST)).toBe(true);
    },
    TEST_MS,
  );

  it(
    'takes no large file, and says so',
    async () => {
      const place = await cloned('pushing', addressOf('all'));
      await writeFile(join(place, 'mine.bin'), randomBytes(10));
      await git('-C', place, 'add', '.');
      await git('-C', place, ...IDENTITY, 'commit', '--quiet', '--message', 'mine');

      expect(await said('-C', place, 'lfs', 'push', 'origin', 'HEAD')).toContain('it takes no large files');
    },
    TEST_MS,
  );

  it(
    'gives the same files once upstream is gone, as of then too, and holds nothing that its ledger doesn’t name',
    async () => {
      await files.close();
      await forge.close();

      const now = await cloned('now', addressOf('all'));
      const then = await cloned('then', addressOf(`as-of/${running.before}`));

      expect((await readFile(join(now, 'assets/later.bin'))).equals(LATER)).toBe(true);
      expect((await readFile(join(then, 'assets/large.bin'))).equals(LARGE)).toBe(true);
      expect(existsSync(join(then, 'assets/later.bin'))).toBe(false);
      const checked = await run(granaryArgv('ledger', 'check', '--config', join(folder, 'granary.yaml')), { env: granaryEnvironment() });
      expect(checked.code, checked.said).toBe(0);
    },
    TEST_MS,
  );

  function addressOf(view: string): string {
    return `${running.address}/${view}/git/forge.example/owner/lamp`;
  }
});

/** Where upstream keeps it. */
function placeOf(bytes: Uint8Array): string {
  const oid = sha256(bytes);
  return join(lamp.folder, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
}

function reasonToSkip(): string | undefined {
  if (!host.ok) return host.why;
  return lfs.ok ? undefined : lfs.why;
}

const IDENTITY = ['-c', 'user.name=A', '-c', 'user.email=a@maintainer.example', '-c', 'commit.gpgSign=false'];

async function commit(texts: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
    await git('-C', work, 'add', path);
  }
  await git('-C', work, 'add', '--update', 'assets');
  await git('-C', work, ...IDENTITY, 'commit', '--quiet', '--message', Object.keys(texts).join(' '));
}

/** As a user whose machine has git-lfs, and no other settings of git. */
async function git(...args: readonly string[]): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const PATH = `${lfs.ok ? lfs.folder : ''}:${process.env['PATH'] ?? ''}`;
  const env = { PATH, HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  return (await execute('git', args, { env, maxBuffer: 2 ** 28 })).stdout;
}

/** What git says when it fails. */
async function said(...args: readonly string[]): Promise<string> {
  return await git(...args).then(
    () => 'nothing failed',
    (error: unknown) => String(error),
  );
}

async function cloned(name: string, address: string): Promise<string> {
  const place = join(folder, name);
  await git('clone', '--quiet', address, place);
  return place;
}

async function granary(...args: readonly string[]): Promise<string> {
  return (await run(granaryArgv(...args, '--config', join(folder, 'granary.yaml')), { env: granaryEnvironment() })).said;
}

/** Digests and sizes of the large files on record. */
function held(): readonly string[] {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return catalog
    .ofPackage('stored', LAMP)
    .flatMap(({ entry }) => {
      const { sha256: oid, sizeBytes, path } = StoredBody.parse(entry.body);
      return path.startsWith('lfs-') ? [`${oid} ${sizeBytes}`] : [];
    })
    .toSorted();
}
