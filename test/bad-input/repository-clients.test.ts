import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { encodePacket, encodeSpecial } from '@granary/core/git';
import { checkGitHost } from '@granary/driver-git-native';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../clients/running-mirror.ts';
import type { RunningGranary } from '../machine/granary.ts';
import { holding, TIP_ID } from './repositories/hostile-forge.ts';
import { openRepositorySite, type RepositorySite } from './repositories/hostile-repositories.ts';
import { commitOf, idOf, type RawObject, rawPack, treeOf } from './repositories/raw-pack.ts';
import { isPlain } from './site.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

const host = await checkGitHost();
const reason = host.ok ? undefined : host.why;
const title = (text: string) => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
const run = promisify(execFile);

const MIB = 2 ** 20;
const SMALL = '/git/small.example/x';
const LARGE = '/git/large.example/x';
const NOISE: RawObject = { type: 'blob', bytes: randomBytes(6 * MIB) };
const TREE = treeOf(['100644', 'noise', NOISE]);
const LARGE_TIP = commitOf(TREE);
const UNKNOWN = '12'.repeat(20);
const ADVERTISED = 'info/refs?service=git-upload-pack';
const PROCESSES_END_WITHIN_MS = 20_000;

describe.skipIf(reason !== undefined)(title('clients of repositories that misbehave'), () => {
  let site: RepositorySite;
  let running: RunningGranary;
  let port = 0;
  beforeAll(async () => {
    site = await openRepositorySite();
    const watch = [await site.forge.host('small'), await site.forge.host('large', holding(LARGE_TIP, rawPack([LARGE_TIP, TREE, NOISE])))];
    port = await freePort();
    running = await site.start(watch, 'up', '--json', '--listen', `127.0.0.1:${port}`);
    await running.said(/^Following upstream/m);
  });
  afterAll(async () => {
    running?.signal('SIGTERM');
    const ended = await running?.ended;
    await site?.[Symbol.asyncDispose]();
    expect(isPlain(ended?.stderr ?? ''), ended?.stderr).toBe(true);
  });

  it.each([
    ['a step upwards in disguise', `/git/..%2f..%2fetc/passwd/${ADVERTISED}`, 400],
    ['a step upwards', `/git/small.example/../x/${ADVERTISED}`, 400],
    ['a step upwards, encoded', `/git/small.example/%2e%2e/x/${ADVERTISED}`, 400],
    ['a NUL', `${SMALL}%00/${ADVERTISED}`, 400],
    ['an option', `/git/--upload-pack=touch/x/${ADVERTISED}`, 400],
    ['an option for a path', `/git/small.example/-x/${ADVERTISED}`, 400],
    ['no repository', `/git/${ADVERTISED}`, 404],
    ['one that is not held', `/git/other.example/x/${ADVERTISED}`, 404],
    ['an address without an end', `/git/small.example/${'x'.repeat(8000)}/${ADVERTISED}`, 400],
    ['a file of the folder', `${SMALL}/objects/info/packs`, 404],
    ['a configuration', `${SMALL}/config`, 404],
    ['the service to push', `${SMALL}/info/refs?service=git-receive-pack`, 403],
    ['the service to push, below .git', `${SMALL}.git/info/refs?service=git-receive-pack`, 403],
    ['a service of no name', `${SMALL}/info/refs?service=git-upload-pack%0atouch`, 404],
    ['the dumb protocol', `${SMALL}/info/refs`, 404],
    ['a question without a body', `${SMALL}/git-upload-pack`, 405],
  ])('are refused: %s', async (_, path, status) => {
    const answer = await ask({ path });

    expect(answer).toMatchObject({ status, text: expect.stringMatching(/^[\x20-\x7e]{1,600}\n$/) });
  });

  it.each([
    ['bytes of nothing', randomBytes(5000), {}, /^400 .*: upload pack: .*\n$/],
    ['a length that lies', Buffer.from('fffezzz'), {}, /^400 .*: upload pack: .*\n$/],
    ['another command', question('receive-pack'), {}, /^400 .*: fatal: invalid command 'receive-pack'\n$/],
    ['gzip that is none', randomBytes(100), { 'content-encoding': 'gzip' }, /^400 .*not what gzip makes/s],
    ['a bomb', gzipSync(Buffer.alloc(512 * MIB)), { 'content-encoding': 'gzip' }, /^413 .*more than 8388608 bytes/s],
    ['a coding that nobody reads', Buffer.from('x'), { 'content-encoding': 'br' }, /^415 /],
    ['more than it may ask', Buffer.from('0000'), { 'content-length': String(9 * MIB) }, /^413 /],
    ['what nobody has', fetching(UNKNOWN), {}, new RegExp(`^200 .*ERR upload-pack: not our ref ${UNKNOWN}`, 's')],
    ['no object id', fetching('../../etc/passwd'), {}, /^400 .*: upload pack: fatal: [^\n]*\n$/],
    ['a hundred thousand that it has', fetching(TIP_ID, haves(100_000)), {}, /^200 .*packfile.*PACK/s],
    ['a shallow clone of no depth', fetching(TIP_ID, ['deepen -1\n']), {}, /^400 .*: upload pack: fatal: [^\n]*\n$/],
    ['a filter that is none', fetching(TIP_ID, ['filter sparse:path=/etc/passwd\n']), {}, /^400 .*: upload pack: fatal: [^\n]*\n$/],
    ['an empty body', Buffer.alloc(0), {}, /^200 $/],
  ] as const)('are answered, and it is over: %s', async (_, body, headers, says) => {
    const answer = await ask({ path: `${SMALL}/git-upload-pack`, body, headers });

    expect(`${answer.status} ${answer.text.slice(0, 2000)}`).toMatch(says);
  });

  it.each(['version=2', 'version=1', 'version=0', 'version=9', '', 'version=2:$(touch /tmp/granary-escaped)', 'x'.repeat(8000), 'version=2:'.repeat(800)])(
    'may ask in any version of the protocol',
    async (protocol) => {
      const { status, text } = await ask({ path: `${SMALL}/${ADVERTISED}`, headers: { 'git-protocol': protocol } });

      expect({ status, text }).toMatchObject({ status: 200, text: expect.stringMatching(/version 2|refs\/heads\/main/) });
    },
  );

  it('may clone many at once: each has all of it', async () => {
    const clones = await Promise.all(Array.from({ length: 12 }, (_, at) => clone(`many-${at}`)));

    expect(new Set(clones)).toEqual(new Set([idOf(LARGE_TIP)]));
  });

  it('may leave in the middle, or before: no process stays, and the next is answered', async () => {
    const leaving = Array.from({ length: 24 }, (_, at) => leave(at % 3 === 0 ? 'at once' : 'in the middle'));
    await Promise.all(leaving);

    const started = performance.now();
    await vi.waitFor(() => expect(site.processes()).toEqual([]), { timeout: PROCESSES_END_WITHIN_MS, interval: 200 });

    expect(performance.now() - started).toBeLessThan(PROCESSES_END_WITHIN_MS);
    expect(await clone('after')).toBe(idOf(LARGE_TIP));
    expect((await site.litter()).scratch).toEqual([]);
  });

  /** A clone of the large repository, checked; the id of its HEAD. */
  async function clone(name: string): Promise<string> {
    const place = join(site.folder, name);
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
    await run('git', ['clone', '--quiet', '--no-checkout', '--branch', 'main', `http://127.0.0.1:${port}${LARGE}`, place], { env });
    await run('git', ['-C', place, 'fsck', '--full', '--strict'], { env });
    return (await run('git', ['-C', place, 'rev-parse', 'main'], { env })).stdout.trim();
  }

  function open({ path, body, headers = {} }: Question): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const type =
        body === undefined ? {} : { 'content-type': 'application/x-git-upload-pack-request', 'content-length': body.length, 'git-protocol': 'version=2' };
      const sent = request({ port, path, method: body === undefined ? 'GET' : 'POST', headers: { ...type, ...headers } }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  async function ask(question: Question): Promise<{ readonly status: number | undefined; readonly text: string }> {
    const response = await open(question);
    let text = '';
    for await (const chunk of response.setEncoding('latin1')) text += String(chunk);
    return { status: response.statusCode, text };
  }

  async function leave(when: 'at once' | 'in the middle'): Promise<void> {
    const body = fetching(idOf(LARGE_TIP));
    if (when === 'in the middle') {
      const response = await open({ path: `${LARGE}/git-upload-pack`, body });
      await new Promise((resolve) => response.once('data', resolve));
      response.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      const sent = request({ port, path: `${LARGE}/git-upload-pack`, method: 'POST', headers: { 'git-protocol': 'version=2', 'content-length': body.length } });
      sent.on('error', () => resolve());
      sent.end(body, () => sent.destroy(new Error('leaving')));
    });
  }
});

interface Question {
  readonly path: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

function question(command: string, lines: readonly string[] = []): Buffer {
  return Buffer.concat([encodePacket(`command=${command}\n`), encodeSpecial('delimiter'), ...lines.map((line) => encodePacket(line)), encodeSpecial('flush')]);
}

function fetching(want: string, lines: readonly string[] = []): Buffer {
  return question('fetch', ['no-progress\n', `want ${want}\n`, ...lines, 'done\n']);
}

function haves(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `have ${(at + 1).toString(16).padStart(40, '0')}\n`);
}
