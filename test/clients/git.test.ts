import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ObservedBody, StoredBody, VanishedBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { checkGitHost } from '@granary/driver-git-native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ForgeRepository, type LoopbackForge, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { clientSuite } from './client-suite.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { run } from './run.ts';
import { type RunningMirror, shownWithin, startMirror } from './running-mirror.ts';

const execute = promisify(execFile);
const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const SHOWN_WITHIN_MS = 60_000;
const LAMP = 'pkg:git/forge.example/owner/lamp';

const host = await checkGitHost();
let folder = '';
let forge: LoopbackForge;
let lamp: ForgeRepository;

const suite = clientSuite({ name: 'git', reason: host.ok ? undefined : host.why, timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  forge = await openLoopbackForge(join(folder, 'forge'));
  opened.defer(() => forge.close());
  lamp = await forge.create('owner/lamp');
  for (const text of ['one', 'two', 'three']) await commit(text);
  await lamp.git('tag', '--annotate', 'v1.0.0', '--message', 'first');
  await lamp.git('push', '--quiet', 'origin', 'main', 'v1.0.0', 'main:refs/heads/dev', 'main:refs/pull/1/head');
  await writeFile(
    join(folder, 'granary.yaml'),
    JSON.stringify({
      data: 'data',
      watch: ['https://forge.example/owner/lamp.git'],
      follow: { intervalSeconds: 1 },
      repositories: { insteadOf: { 'https://forge.example/': forge.base } },
    }),
  );
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror of a repository whose upstream rewrites it'), () => {
  let running: RunningMirror;
  let firstTip = '';
  let tagBefore = '';
  beforeAll(async () => {
    firstTip = (await lamp.git('rev-parse', 'main')).trim();
    tagBefore = (await lamp.git('rev-parse', 'v1.0.0')).trim();
    running = await startMirror(join(folder, 'granary.yaml'));
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'is cloned whole, shallow and in part, with the refs that are kept and no others',
    async () => {
      expect(await git('ls-remote', '--symref', addressOf('all'))).toBe(
        [
          'ref: refs/heads/main\tHEAD',
          `${firstTip}\tHEAD`,
          `${firstTip}\trefs/heads/dev`,
          `${firstTip}\trefs/heads/main`,
          `${tagBefore}\trefs/tags/v1.0.0`,
          `${firstTip}\trefs/tags/v1.0.0^{}`,
          '',
        ].join('\n'),
      );
      const whole = await cloned('whole', addressOf('all'));
      const shallow = await cloned('shallow', addressOf('all'), '--depth=1');
      await cloned('partial', addressOf('all'), '--filter=blob:none', '--no-checkout');

      expect(await git('-C', whole, 'fsck', '--full', '--strict')).toBe('');
      expect(await objectsOf(whole)).toEqual(await objectsOf(lamp.folder));
      expect((await git('-C', shallow, 'rev-list', '--count', 'HEAD')).trim()).toBe('1');
      expect(await git('-C', join(folder, 'partial'), 'show', 'HEAD~1:text')).toBe('two\n');
    },
    TEST_MS,
  );

  it(
    'keeps what a force-push, a moved tag and a deleted branch threw away, and its ledger names each',
    async () => {
      await lamp.git('reset', '--quiet', '--hard', 'HEAD~2');
      await commit('rewritten');
      await lamp.git('tag', '--force', '--annotate', 'v1.0.0', '--message', 'moved');
      await lamp.git('push', '--quiet', '--force', 'origin', 'main', 'v1.0.0', ':refs/heads/dev');
      await git('-C', lamp.folder, 'reflog', 'expire', '--expire=now', '--all');
      await git('-C', lamp.folder, 'update-ref', '-d', 'refs/pull/1/head');
      await git('-C', lamp.folder, 'gc', '--quiet', '--prune=now');
      const tip = (await lamp.git('rev-parse', 'main')).trim();
      const tag = (await lamp.git('rev-parse', 'v1.0.0')).trim();

      const shown = await shownWithin(SHOWN_WITHIN_MS, () => git('ls-remote', addressOf('all'), 'refs/heads/*'), `${tip}\trefs/heads/main\n`);

      expect(shown).toBe(`${tip}\trefs/heads/main\n`);
      expect(vanished()).toEqual([
        `${LAMP}#refs/heads/dev gone ${firstTip} undefined`,
        `${LAMP}#refs/heads/main replaced ${firstTip} ${tip}`,
        `${LAMP}#refs/tags/v1.0.0 replaced ${tagBefore} ${tag}`,
      ]);
      expect(events()).toEqual([{}, { deleted: 1, forced: 1, 'tag-moved': 1 }]);
      await expect(git('-C', lamp.folder, 'cat-file', '-e', firstTip)).rejects.toThrow();
      const after = await cloned('after', addressOf('all'));
      await git('-C', after, 'fetch', '--quiet', addressOf('all'), firstTip);
      expect(await git('-C', after, 'show', `${firstTip}:text`)).toBe('three\n');
    },
    TEST_MS,
  );

  it(
    'takes a commit that follows for what it is, and nothing with it that is held',
    async () => {
      await commit('later');
      await lamp.git('push', '--quiet', 'origin', 'main');
      const tip = (await lamp.git('rev-parse', 'main')).trim();
      await shownWithin(SHOWN_WITHIN_MS, () => git('ls-remote', addressOf('all'), 'refs/heads/main'), `${tip}\trefs/heads/main\n`);

      expect(events().at(-1)).toEqual({ advanced: 1 });
      expect(packSizes()).toHaveLength(3);
      expect(packSizes().at(-1)).toBeLessThan(1000);
    },
    TEST_MS,
  );

  it(
    'clones as it ever was, once upstream has disappeared',
    async () => {
      await lamp.show('hidden');
      const gone = `${LAMP} gone undefined undefined`;
      expect(await shownWithin(SHOWN_WITHIN_MS, async () => vanished().filter((line) => line === gone), [gone])).toEqual([gone]);

      const then = await cloned('then', addressOf(`as-of/${running.before}`));

      expect((await git('-C', then, 'rev-parse', 'origin/dev', 'origin/main', 'v1.0.0')).split('\n')).toEqual([firstTip, firstTip, tagBefore, '']);
      expect(await git('-C', then, 'fsck', '--full', '--strict')).toBe('');
      expect(await git('-C', await cloned('now', addressOf('all')), 'show', 'HEAD:text')).toBe('later\n');
      const checked = await run(granaryArgv('ledger', 'check', '--config', join(folder, 'granary.yaml')), { env: granaryEnvironment() });
      expect(checked.code, checked.said).toBe(0);
      const why = await run(granaryArgv('why', `${LAMP}#refs/tags/v1.0.0`, '--config', join(folder, 'granary.yaml')), { env: granaryEnvironment() });
      expect(why.said).toContain(`refs/tags/v1.0.0 from ${tagBefore} to`);
      expect(why.said).not.toContain('refs/heads/dev');
    },
    TEST_MS,
  );

  it(
    'says what it has not, in words that git shows',
    async () => {
      await expect(git('clone', `${running.address}/git/forge.example/owner/candle`, join(folder, 'candle'))).rejects.toThrow(
        /Granary does not hold pkg:git\/forge\.example\/owner\/candle: ask for it with granary watch request/,
      );
      await expect(git('clone', addressOf('as-of/2020-01-01T00:00:00Z'), join(folder, 'early'))).rejects.toThrow(/it was first seen at/);
      await expect(git('-C', join(folder, 'whole'), 'push', addressOf('all'), 'HEAD:refs/heads/mine')).rejects.toThrow(/it takes no push/);
    },
    TEST_MS,
  );

  function addressOf(view: string): string {
    return `${running.address}/${view}/git/forge.example/owner/lamp`;
  }
});

async function commit(text: string): Promise<void> {
  await lamp.git('config', 'gc.auto', '0');
  const work = (await lamp.git('rev-parse', '--show-toplevel')).trim();
  await writeFile(join(work, 'text'), `${text}\n`);
  await lamp.git('add', '.');
  await lamp.git('commit', '--quiet', '--message', text);
}

/** As a user whose machine has no settings of git. */
async function git(...args: readonly string[]): Promise<string> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  return (await execute('git', args, { env, maxBuffer: 2 ** 28 })).stdout;
}

async function cloned(name: string, address: string, ...options: readonly string[]): Promise<string> {
  const place = join(folder, name);
  await git('clone', '--quiet', ...options, address, place);
  return place;
}

async function objectsOf(repository: string): Promise<readonly string[]> {
  const listed = await git('-C', repository, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)');
  return listed.split('\n').toSorted();
}

function vanished(): readonly string[] {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return [...catalog.all('vanished')]
    .map(({ entry }) => {
      const { state, from, to } = VanishedBody.parse(entry.body);
      return `${entry.subject} ${state} ${from} ${to}`;
    })
    .sort();
}

function events(): readonly (Readonly<Record<string, number>> | undefined)[] {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return catalog.ofPackage('observed', LAMP, { history: true }).map(({ entry }) => ObservedBody.parse(entry.body).events);
}

/** In bytes, in the order in which they came. */
function packSizes(): readonly number[] {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return catalog.ofPackage('stored', LAMP).map(({ entry }) => StoredBody.parse(entry.body).sizeBytes);
}
