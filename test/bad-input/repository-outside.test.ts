import { readOutside, submodulesOf } from '@granary/contract/repository';
import { ObservedBody, StoredBody, sha256 } from '@granary/core/model';
import { checkGitHost } from '@granary/driver-git-native';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answer, holdingHead } from './repositories/hostile-forge.ts';
import { type FilesAnswer, type LargeFilesAnswers, largeFilesServer, pointerTo } from './repositories/hostile-large-files.ts';
import { LAMP, type LookingOptions, type LookingSite, openLookingSite } from './repositories/looking-site.ts';
import { blobOf, commitOf, type RawObject, rawPack, treeOf } from './repositories/raw-pack.ts';

vi.setConfig({ testTimeout: 60_000 });

const host = await checkGitHost();
const reason = host.ok ? undefined : host.why;
const title = (text: string) => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
const BYTES = Buffer.from('a large file, so to speak');
const OID = sha256(BYTES);
const OTHER = Buffer.from('another file of 25 bytes.');
const COMMIT = blobOf('stands for a commit of another repository');

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

describe.skipIf(reason !== undefined)(title('a server of large files'), () => {
  const batch = (value: unknown): Answer => json(value);
  const here = (more: object) => batch({ objects: [{ oid: OID, size: BYTES.length, ...more }] });
  const at = (href: string, header?: unknown) => here({ actions: { download: { href, ...(header === undefined ? {} : { header }) } } });
  const inside: FilesAnswer = (response, asked) => at(asked.inside)(response, asked);

  it.each<readonly [string, Partial<LargeFilesAnswers>, string]>([
    ['other bytes', { file: sending(OTHER) }, 'wrong-bytes'],
    ['fewer bytes', { file: sending(BYTES.subarray(1)) }, 'wrong-bytes'],
    ['more bytes', { file: sending(Buffer.concat([BYTES, BYTES])) }, 'wrong-bytes'],
    ['more bytes, of which it says nothing before', { file: chunked([BYTES, BYTES]) }, 'wrong-bytes'],
    ['bytes without an end', { file: endless }, 'wrong-bytes'],
    ['half of what it announced', { file: announcing(BYTES.length, BYTES.subarray(10)) }, 'unreachable'],
    ['an address in a private network', { batch: at('http://10.1.2.3/x') }, 'refused'],
    ['an address of this machine', { batch: inside }, 'refused'],
    ['a redirect to an address of this machine', { file: (response, asked) => redirect(asked.inside)(response, asked) }, 'refused'],
    ['a batch at an address of this machine', { batch: (response, asked) => redirect(asked.inside)(response, asked) }, 'refused'],
    ['a file for an address', { batch: at('file:///etc/passwd') }, 'refused'],
    ['a command for an address', { batch: at('ext::sh -c "touch /tmp/granary-escaped"') }, 'refused'],
    ['no address', { batch: at('../../x') }, 'refused'],
    ['two headers in one', { batch: at('http://10.1.2.3/', { a: 'b\r\nhost: c' }) }, 'refused'],
    ['that the file is gone', { batch: here({ error: { code: 410, message: 'gone' } }) }, 'absent'],
    ['nothing of the file', { batch: batch({ objects: [] }) }, 'absent'],
    ['where there is nothing', { file: status(404) }, 'absent'],
    ['that nobody may have it', { file: status(403) }, 'refused'],
    ['that nobody may ask', { batch: status(401) }, 'refused'],
    ['that it is none', { batch: status(404) }, 'no-server'],
    ['a page', { batch: sending(Buffer.from('<html>')) }, 'unreadable'],
    ['half of an answer', { batch: sending(Buffer.from('{"objects":[{')) }, 'unreadable'],
    ['lists in lists', { batch: sending(Buffer.from(`${'['.repeat(500_000)}${']'.repeat(500_000)}`)) }, 'unreadable'],
    ['10,000 answers to one question', { batch: batch({ objects: Array.from({ length: 10_000 }, () => ({ oid: OID })) }) }, 'unreadable'],
    ['an answer without an end', { batch: endless }, 'unreadable'],
    ['another transfer', { batch: batch({ transfer: 'tus', objects: [] }) }, 'unreadable'],
  ])('that answers %s costs its repository that file, and nothing else', async (_, answers, why) => {
    const site = await openSite(answers);

    const look = await site.look();

    expect(look).toMatchObject({ type: 'changed' });
    expect(await missing(site)).toEqual({ [why]: 1 });
    expect(await blobsOf(site)).toEqual(await namedBlobs(site));
    expect(site.forge.askedInside).toEqual([]);
    expect(site.processes()).toEqual([]);
    await vi.waitFor(() => expect([...site.forge.underWay]).toEqual([]));
  });

  it.each<readonly [string, Partial<LargeFilesAnswers>]>([
    ['the right bytes', {}],
    [
      'another size than it has',
      { batch: (response, asked) => json({ objects: [{ oid: OID, size: 7, actions: { download: { href: asked.files } } }] })(response, asked) },
    ],
    [
      'a password in its address',
      {
        batch: (response, asked) =>
          json({ objects: [{ oid: OID, actions: { download: { href: asked.files.replace('://', '://user:secret@') } } }] })(response, asked),
      },
    ],
  ])('that answers %s is a server', async (_, answers) => {
    const shown: unknown[] = [];
    const site = await openSite({ ...answers, onFile: ({ headers }) => shown.push(headers.authorization) });

    await site.look();

    expect(await missing(site)).toBeUndefined();
    expect(StoredBody.parse(site.catalog.current('stored', `${LAMP}?file_name=lfs-${OID}`)?.entry.body)).toMatchObject({
      sha256: OID,
      sizeBytes: BYTES.length,
    });
    expect(await site.store.blobs.size(OID)).toBe(BYTES.length);
    expect(shown).toEqual([undefined]);
  });

  it('is asked again at the next look, and all is well once it has mended', async () => {
    const site = await openSite({ file: sending(OTHER) });
    await site.look();
    const again = await site.look();
    await site.mend({});

    const mended = await site.look();

    expect(again).toEqual({ type: 'unchanged' });
    expect(mended).toMatchObject({ type: 'changed', facts: 2, events: [] });
    expect(await missing(site)).toBeUndefined();
    expect(await site.look()).toEqual({ type: 'unchanged' });
    expect(site.catalog.ofPackage('observed', LAMP, { history: true })).toHaveLength(2);
  });

  it('that lies is not asked for all of ten thousand files', async () => {
    const asked: string[] = [];
    const files = Array.from({ length: 10_000 }, (_, at) => Buffer.from(`file ${at}`));
    const pointers = files.map((bytes) => blobOf(pointerTo(sha256(bytes), bytes.length)));
    const site = await openSite({ file: sending(Buffer.from('file x')), onFile: ({ path }) => asked.push(path) }, pointers, { limits: { maxBytes: 2 ** 24 } });

    await site.look();

    const counts = (await missing(site)) ?? {};
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(counts['wrong-bytes']).toBeGreaterThanOrEqual(8);
    expect(asked.length).toBeLessThanOrEqual(12);
    expect(await blobsOf(site)).toEqual(await namedBlobs(site));
  });

  it('that only drips holds up the refs for as long as one look may take, and no longer', async () => {
    const site = await openSite({ file: dripping }, [], { largeFiles: { timeoutMs: 3000 } });
    const startedAt = performance.now();

    const look = await site.look();

    expect(look).toMatchObject({ type: 'changed' });
    expect(await missing(site)).toEqual({ 'not-asked': 1 });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('is not asked for what there is no room for', async () => {
    const asked: string[] = [];
    const large = blobOf(pointerTo(sha256('large'), 1001));
    const site = await openSite(
      { onFile: ({ path }) => asked.push(path) },
      [blobOf(pointerTo(OID, BYTES.length)), large, blobOf(pointerTo(sha256('x'), 900))],
      {
        largeFiles: { maxObjectBytes: 1000, maxTotalBytes: 910 },
      },
    );

    await site.look();

    const counts = (await missing(site)) ?? {};
    expect(counts).toMatchObject({ 'too-large': 1, 'no-room': 1 });
    expect(asked.length).toBeLessThanOrEqual(1);
  });

  it('and a pointer that lies of the size is found out, whichever came first', async () => {
    const site = await openSite({}, [blobOf(pointerTo(OID, BYTES.length)), blobOf(pointerTo(OID, BYTES.length + 1))]);

    await site.look();
    await site.look();

    expect(await missing(site)).toEqual({ 'wrong-bytes': 1 });
    expect(await site.store.blobs.size(OID)).toBe(BYTES.length);
  });

  /** A repository with a large file, and a server that has it unless it is told otherwise. */
  async function openSite(answers: Partial<LargeFilesAnswers> = {}, pointers: readonly RawObject[] = [], options: LookingOptions = {}) {
    const blobs = pointers.length === 0 ? [blobOf(pointerTo(OID, BYTES.length))] : pointers;
    const tree = treeOf(...blobs.map((blob, at) => ['100644', String(at).padStart(6, '0'), blob] as const));
    const tip = commitOf(tree);
    const repository = holdingHead(tip, rawPack([tip, tree, ...blobs]));
    const withServer = (changed: Partial<LargeFilesAnswers>) => largeFilesServer(repository, BYTES, changed);
    const site = await openLookingSite(stack, withServer(answers), options);
    return { ...site, mend: (changed: Partial<LargeFilesAnswers>) => site.forge.host('lamp', withServer(changed)) };
  }
});

describe.skipIf(reason !== undefined)(title('submodules'), () => {
  it('are recorded where they lead to repositories, and said not to be covered where they lead elsewhere', async () => {
    const site = await openSite([
      ['bulb', '../bulb.git'],
      ['ext', 'ext::sh -c touch% /tmp/granary-escaped'],
      ['file', 'file:///etc'],
      ['out', '../../../../etc'],
      ['self', 'https://lamp.example/x.git'],
      ['wire', 'git@forge.example:owner/wire.git'],
    ]);

    await site.look();

    const body = await outsideOf(site);
    expect(body).toMatchObject({ submodules: ['pkg:git/lamp.example/bulb', 'pkg:git/forge.example/owner/wire'], notCovered: 3 });
    const { notCovered } = await readOutside(site.store.blobs, body?.document ?? sha256(''));
    expect(notCovered.map(({ path, why, url }) => [path, why, url])).toEqual([
      ['ext', 'address', 'ext::sh -c touch% /tmp/granary-escaped'],
      ['file', 'address', 'file:///etc'],
      ['out', 'address', '../../../../etc'],
    ]);
  });

  it('are none where none stands in the tree: paths out of it, paths of files, paths of nothing', async () => {
    const lines = ['../up', '/etc', 'dir/../bulb', '.git', 'plain', 'missing'].map((path, n) => `[submodule "s${n}"]\n\tpath = ${path}\n\turl = ../bulb\n`);
    const site = await openSite([['bulb', 'ext::x']], lines.join(''));

    await site.look();

    expect(await outsideOf(site)).toMatchObject({ notCovered: 1 });
    expect(submodulesOf(site.catalog, LAMP)).toEqual([]);
  });

  it('are as many as a fact has room for, of thousands', async () => {
    const names = Array.from({ length: 3000 }, (_, at) => `m${String(at).padStart(5, '0')}`);
    const site = await openSite(names.map((name) => [name, `../${name}`] as const));

    await site.look();

    const { submodules = [], leftOut = 0, notCovered } = (await outsideOf(site)) ?? {};
    expect(submodules.length).toBeGreaterThan(50);
    expect(submodules.length).toBeLessThanOrEqual(100);
    expect([submodules.length + leftOut, notCovered]).toEqual([2000, 1]);
    expect(submodulesOf(site.catalog, LAMP)).toEqual(submodules);
  });

  it.each([
    ['that git does not read', '[submodule "m"\n'],
    ['of 300 KB', `#${' '.repeat(300_000)}\n`],
    ['of more lines than are read', `[a]\n${'\tb = c\n'.repeat(10_001)}`],
  ])('in a file %s are none, and the rest is mirrored', async (_, text) => {
    const site = await openSite([['bulb', '../bulb']], text, 'instead');

    expect(await site.look()).toMatchObject({ type: 'changed' });

    expect(await outsideOf(site)).toMatchObject({ notCovered: 1 });
  });

  it.each([
    ['an option for an address', '\turl = --upload-pack=touch /tmp/granary-escaped\n'],
    ['an option for a path', '\tpath = --upload-pack=x\n\turl = ../x\n'],
    ['a command', '\tupdate = !touch /tmp/granary-escaped\n'],
  ])('with %s refuse the pack, as git does', async (_, lines) => {
    const site = await openSite([['bulb', '../bulb']], `[submodule "m"]\n\tpath = m\n${lines}`);

    await expect(site.look()).rejects.toMatchObject({ name: 'JobError', retry: 'later' });

    expect(site.isUntouched()).toBe(true);
  });

  /** A repository with submodules at these paths. */
  async function openSite(submodules: readonly (readonly [path: string, url: string])[], more = '', place: 'behind' | 'instead' = 'behind') {
    const sections = submodules.map(([path, url]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`);
    const file = blobOf(place === 'instead' ? more : `${sections.join('')}${more}`);
    const plain = blobOf('one\n');
    const entries = [['100644', 'plain', plain] as const, ...submodules.map(([path]) => ['160000', path, COMMIT] as const)];
    const tree = treeOf(['100644', '.gitmodules', file], ...entries.toSorted(([, a], [, b]) => (a < b ? -1 : 1)));
    const tip = commitOf(tree);
    return await openLookingSite(stack, holdingHead(tip, rawPack([tip, tree, file, plain])));
  }
});

async function outsideOf(site: LookingSite) {
  const fact = site.catalog.current('observed', LAMP);
  return fact === undefined ? undefined : ObservedBody.parse(fact.entry.body).outside;
}

async function missing(site: LookingSite): Promise<Readonly<Record<string, number>> | undefined> {
  return (await outsideOf(site))?.largeFiles?.missing;
}

async function blobsOf({ store }: LookingSite): Promise<readonly string[]> {
  const keys = await Array.fromAsync(store.objects.list('blobs/'));
  return keys.flatMap((key) => /[0-9a-f]{64}$/.exec(key) ?? []).toSorted();
}

/** What facts name of what is in the store. */
async function namedBlobs(site: LookingSite): Promise<readonly string[]> {
  const text = ['observed', 'stored'].flatMap((kind) => [...site.catalog.all(kind, { history: true })].map(({ entry }) => JSON.stringify(entry))).join('\n');
  return (await blobsOf(site)).filter((digest) => text.includes(digest));
}

function json(value: unknown): Answer {
  return sending(Buffer.from(JSON.stringify(value)));
}

function sending(bytes: Uint8Array): Answer {
  return (response) => void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}

function announcing(length: number, bytes: Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, { 'content-length': length });
    response.write(bytes);
    setTimeout(() => response.destroy(), 50);
  };
}

function chunked(parts: readonly Uint8Array[]): Answer {
  return (response) => {
    for (const part of parts) response.write(part);
    response.end();
  };
}

function status(code: number): Answer {
  return (response) => void response.writeHead(code).end();
}

function redirect(location: string): Answer {
  return (response) => void response.writeHead(307, { location }).end();
}

/** Zeros, at the client's pace and until it has enough. */
function endless(response: Parameters<Answer>[0]): void {
  const zeros = Buffer.alloc(65_536);
  const pump = (): void => {
    while (!response.destroyed && response.write(zeros));
  };
  response.on('drain', pump);
  response.writeHead(200);
  pump();
}

/** Enough now and then to be no stall, and never all. */
function dripping(response: Parameters<Answer>[0]): void {
  response.writeHead(200, { 'content-length': BYTES.length });
  response.write(BYTES.subarray(0, 1));
}
