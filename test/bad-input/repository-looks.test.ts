import { heldPacks } from '@granary/contract/repository';
import { checkGitHost } from '@granary/driver-git-native';
import type { RepositoryPorts } from '@granary/stage-sync';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answer, type Answers, announcing, band, holding, listing, PACK, packBegun, TIP_ID, TREE } from './repositories/hostile-forge.ts';
import { LAMP, openLookingSite } from './repositories/looking-site.ts';
import { blobOf, commitOf, idOf, rawPack } from './repositories/raw-pack.ts';

vi.setConfig({ testTimeout: 60_000 });

const host = await checkGitHost();
const reason = host.ok ? undefined : host.why;
const title = (text: string) => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
const ENDS_WITHIN_MS = 20_000;
const OTHER = commitOf(TREE, 'other');

describe.skipIf(reason !== undefined)(title('one look at a git server'), () => {
  let stack = new AsyncDisposableStack();
  afterEach(async () => {
    await stack.disposeAsync();
    stack = new AsyncDisposableStack();
  });

  it.each([
    ['its list of refs', { list: dripping([]) }],
    ['its pack', { fetch: dripping(packBegun(PACK.subarray(0, 60))) }],
    ['its announcement', { announce: dripping([]) }],
  ])('ends when %s only drips', async (_, answers) => {
    const site = await openSite(answers);

    await expect(site.look()).rejects.toMatchObject({
      name: 'JobError',
      retry: 'at-once',
      message: expect.stringMatching(/: the body stalled, \d+ bytes in \d+ ms$/),
    });

    expect(site.isUntouched()).toBe(true);
    expect(site.processes()).toEqual([]);
    await vi.waitFor(() => expect([...site.forge.underWay]).toEqual([]));
  });

  it('ends when nobody wants it any more, and leaves no process', async () => {
    const site = await openSite({ fetch: dripping(packBegun(PACK.subarray(0, 60))) }, { stallMs: 60_000 });
    const controller = new AbortController();
    const look = site.look(controller.signal);
    look.catch(() => undefined);
    await vi.waitFor(() => expect(site.processes()).not.toEqual([]), { timeout: ENDS_WITHIN_MS });

    controller.abort(new Error('stopping'));

    await expect(look).rejects.toThrow();
    expect(site.processes()).toEqual([]);
    expect(site.isUntouched()).toBe(true);
  });

  it('ends when a pack takes longer than is given', async () => {
    const site = await openSite({ fetch: dripping(packBegun(PACK.subarray(0, 60))) }, { stallMs: 60_000, timeoutMs: 1500 });

    await expect(site.look()).rejects.toMatchObject({ retry: 'later', message: expect.stringMatching(/: git was ended because it took too long$/) });

    expect(site.processes()).toEqual([]);
  });

  it('refuses that a repository becomes another: what is held stays what it is', async () => {
    const site = await openSite();
    await site.look();
    await site.forge.host('lamp', { announce: announcing('sha256'), list: listing([`${'ab'.repeat(32)} refs/heads/main`]) });

    await expect(site.look()).rejects.toMatchObject({
      retry: 'later',
      message: expect.stringMatching(/named by sha256 now, those held by sha1: it is another repository$/),
    });

    expect((await site.known())?.state.refs).toEqual(new Map([['refs/heads/main', TIP_ID]]));
  });

  it('believes no server what a tag comes to', async () => {
    const site = await openSite({ list: listing([`${TIP_ID} refs/tags/v1 peeled:${'12'.repeat(20)}`]) });

    await site.look();

    expect((await site.known())?.state.peeled).toEqual(new Map());
  });

  it('keeps what it has where the next pack is refused, and takes the rest once that has mended', async () => {
    const site = await openSite();
    await site.look();
    await site.forge.host('lamp', holding(OTHER, rawPack([OTHER]).subarray(0, -1)));
    await expect(site.look()).rejects.toMatchObject({ name: 'JobError', retry: 'later' });
    const held = heldPacks(site.catalog, LAMP);
    await site.forge.host('lamp', holding(OTHER, rawPack([OTHER])));

    const look = await site.look();

    expect(held).toHaveLength(1);
    expect(look).toMatchObject({ type: 'changed', events: [{ event: 'forced', from: TIP_ID, to: idOf(OTHER) }] });
    expect(heldPacks(site.catalog, LAMP)).toHaveLength(2);
  });

  it.each(['stored', 'observed'])('has put every pack on record that it took, whatever goes wrong after it: no fact %s', async (kind) => {
    const site = await openSite();
    site.failOn(kind);
    await expect(site.look()).rejects.toThrow(`no room for ${kind}`);
    site.failOn(undefined);

    await site.look();

    expect(heldPacks(site.catalog, LAMP)).toHaveLength(1);
    expect((await site.known())?.state.refs.get('refs/heads/main')).toBe(TIP_ID);
  });

  it('asks once where nothing changed, and not for a pack where only names did', async () => {
    const site = await openSite();
    await site.look();
    const unchanged = await site.look();
    await site.forge.host('lamp', { list: listing([`${TIP_ID} refs/heads/main`, `${TIP_ID} refs/heads/dev`]), fetch: (response) => void response.destroy() });

    const renamed = await site.look();

    expect(unchanged).toEqual({ type: 'unchanged' });
    expect(renamed).toMatchObject({ type: 'changed', packBytes: 0, events: [{ event: 'created', ref: 'refs/heads/dev' }] });
  });

  it('reads no address that a fact could not hold', async () => {
    const long = `/${'a'.repeat(3000)}/info/refs?service=git-upload-pack`;
    const site = await openSite({
      announce: (response, asked) => (asked.path === long ? announcing()(response, asked) : void response.writeHead(302, { location: long }).end()),
    });

    await expect(site.look()).rejects.toMatchObject({ retry: 'later', message: expect.stringMatching(/^.{1,500}which is no repository's list of refs$/) });
  });

  it('says that a server has nobody who answers', async () => {
    const site = await openSite({ list: (response) => void response.writeHead(404).end() });

    await expect(site.look()).rejects.toMatchObject({
      retry: 'later',
      message: expect.stringMatching(/ said that it is a git server, and nobody answers its questions$/),
    });
  });

  it('takes what it holds already once more without a word', async () => {
    const site = await openSite();
    await site.look();
    const tip = commitOf(TREE, 'two');
    await site.forge.host('lamp', holding(tip, rawPack([tip, TREE, blobOf('one\n')])));

    await site.look();

    expect((await site.known())?.state.refs.get('refs/heads/main')).toBe(idOf(tip));
  });

  const openSite = (answers: Partial<Answers> = {}, limits: Partial<RepositoryPorts['limits']> = {}) => openLookingSite(stack, answers, { limits });
});

/** These bytes, and then a byte of progress now and then, for ever. */
function dripping(first: readonly Uint8Array[]): Answer {
  return (response, { path }) => {
    response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${path.includes('/info/refs') ? 'advertisement' : 'result'}` });
    response.write(Buffer.concat(first));
    const drop = first.length === 0 ? Buffer.from('0') : band(2, '.');
    const timer = setInterval(() => response.write(drop), 200);
    response.once('close', () => clearInterval(timer));
  };
}
