import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { fetchRequest, type GitServer, MAX_HAVES, MAX_WANTS, type ObjectId, parseObjectId, readAdvertisement, readFetch } from './index.ts';
import { advertised, answered, codeOf, type GitFolder, gitFolder, inPieces, packets } from './test/index.ts';

/** A history of 40 commits, each a change in a file of 20 kB, and a clone of the first 30. */
const folder = gitFolder(`
git init -q -b main up && cd up
seq 1 4000 > file && git add file && git commit -q -m start
n=1; while [ $n -le 30 ]; do sed -i "$n s/.*/changed $n/" file; git commit -qam "change $n"; n=$((n + 1)); done
cd .. && git clone -q --mirror up held && git -C held config remote.origin.url ../up && cd up
while [ $n -le 40 ]; do sed -i "$n s/.*/changed $n/" file; git commit -qam "change $n"; n=$((n + 1)); done
git tag -a v1 -m v1`);
afterAll(() => folder[Symbol.dispose]());

function objectId(of: GitFolder, repository: string, name: string): ObjectId {
  const id = parseObjectId(of.sh(`git -C ${repository} rev-parse ${name}`).toString().trim(), 'sha1');
  if (id === undefined) throw new Error(`${name}: no object`);
  return id;
}

async function announced(of: GitFolder, repository: string, version: 0 | 2): Promise<GitServer> {
  return await readAdvertisement(inPieces(advertised(of, repository, version)));
}

async function packOf(bytes: Uint8Array, version: 0 | 2 = 2, maxBytes = 1_000_000): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readFetch(inPieces(bytes), { version, maxBytes })));
}

const objectsIn = (pack: Buffer) => pack.readUInt32BE(8);

describe.each([2, 0] as const)('a pack by protocol v%i of a real server', (version) => {
  it('is whole, and git reads it', async () => {
    const server = await announced(folder, 'up', version);
    const wants = [objectId(folder, 'up', 'main'), objectId(folder, 'up', 'v1')];

    const pack = await packOf(answered(folder, 'up', { body: fetchRequest(server, { wants, haves: [], pack: 'self-contained' }), version }), version);

    using scratch = gitFolder('git init -q --bare r');
    scratch.sh('git -C r index-pack --stdin --strict', { input: pack });
    expect(
      scratch
        .sh(`git -C r rev-list --count ${wants.join(' ')}`)
        .toString()
        .trim(),
    ).toBe('41');
  });

  it('holds what is missing and no more, as that of git fetch does', async () => {
    const server = await announced(folder, 'up', version);
    const wish = { wants: [objectId(folder, 'up', 'v1')], haves: [objectId(folder, 'held', 'main')], pack: 'thin' } as const;

    const pack = await packOf(answered(folder, 'up', { body: fetchRequest(server, wish), version }), version);

    // 10 commits, trees and files, and the tag.
    expect(objectsIn(pack)).toBe(31);
    expect(pack.length).toBeLessThanOrEqual((await sentToGit(folder, { from: 'up', to: 'held', refs: 'refs/tags/v1' })).length);
    using scratch = gitFolder(`git clone -q --mirror ${folder.path}/held r`);
    scratch.sh('git -C r index-pack --stdin --fix-thin --strict', { input: pack });
    scratch.sh(`git -C r rev-list --objects ${wish.wants.join(' ')}`);
  });
});

it('a pack after a rewritten branch that upstream has forgotten is no larger than that of git fetch, given its newest ancestors', async () => {
  using forced = gitFolder(`cp -r ${folder.path}/up up && git clone -q --mirror up held && cd up
git tag -d v1 && git reset -q --hard HEAD~3 && seq 1 20 > other && git add other && git commit -qm other
git reflog expire --expire=now --all && git gc -q --prune=now`);
  const server = await announced(forced, 'up', 2);
  const wants = [objectId(forced, 'up', 'main')];
  const names = forced.sh('git -C held rev-list --max-count=20 main').toString().trim().split('\n');
  const ask = async (haves: readonly ObjectId[]) =>
    await packOf(answered(forced, 'up', { body: fetchRequest(server, { wants, haves, pack: 'thin' }), version: 2 }));

  const withTipOnly = await ask([objectId(forced, 'held', 'main')]);
  const withAncestors = await ask(names.flatMap((name) => parseObjectId(name, 'sha1') ?? []));

  const sent = await sentToGit(forced, { from: 'up', to: 'held', refs: '+refs/heads/main' });
  expect([objectsIn(withTipOnly) > 50, objectsIn(withAncestors), objectsIn(sent)]).toEqual([true, 3, 3]);
  expect(withAncestors.length).toBeLessThanOrEqual(sent.length);
});

it('a pack of a repository of format sha256 is fetched', async () => {
  using other = gitFolder('git init -q -b main --object-format=sha256 r && git -C r commit -q --allow-empty -m 1');
  const server = await announced(other, 'r', 2);
  const want = parseObjectId(other.sh('git -C r rev-parse main').toString().trim(), 'sha256');

  const request = fetchRequest(server, { wants: want === undefined ? [] : [want], haves: [], pack: 'thin' });

  expect(server.objectFormat).toBe('sha256');
  expect(objectsIn(await packOf(answered(other, 'r', { body: request, version: 2 })))).toBe(2);
});

it('a server that has not what is wanted is heard', async () => {
  const server = await announced(folder, 'up', 2);
  const want = parseObjectId('12'.repeat(20), 'sha1');
  const request = fetchRequest(server, { wants: want === undefined ? [] : [want], haves: [], pack: 'thin' });
  const answer = folder.sh('git upload-pack --stateless-rpc up || true', { input: request, protocol: 2 });

  await expect(packOf(answer)).rejects.toMatchObject({ code: 'remote-error', remoteText: `upload-pack: not our ref ${want}` });
});

describe('a request for a pack', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, at) => parseObjectId((at + 1).toString(16).padStart(40, '0'), 'sha1') ?? never());
  const v2 = { version: 2, objectFormat: 'sha1', lsRefs: new Set(''), fetch: new Set(''), advertisesAgent: false, advertisesObjectFormat: false } as const;

  it('names each object once, and of what is held the first', () => {
    const [want = never(), ...haves] = ids(MAX_HAVES + 3);

    const body = Buffer.from(fetchRequest(v2, { wants: [want, want], haves: [...haves.slice(0, 2), ...haves], pack: 'thin' })).toString();

    expect(body.match(/want /g)).toHaveLength(1);
    expect(body.match(/have /g)).toHaveLength(MAX_HAVES);
    expect([body.includes(haves[MAX_HAVES - 1] ?? '-'), body.includes(haves[MAX_HAVES] ?? '-')]).toEqual([true, false]);
  });

  it('wants something, and not more than a server reads', () => {
    expect(() => fetchRequest(v2, { wants: [], haves: [], pack: 'thin' })).toThrow(RangeError);
    expect(() => fetchRequest(v2, { wants: ids(MAX_WANTS + 1), haves: [], pack: 'thin' })).toThrow(RangeError);
    expect(fetchRequest(v2, { wants: ids(MAX_WANTS), haves: ids(MAX_HAVES), pack: 'thin' }).length).toBeLessThan(10 * 2 ** 20);
  });

  it('asks nothing that the server did not offer', async () => {
    const v0 = { version: 0, objectFormat: 'sha1', capabilities: new Set(['ofs-delta']), listed: { refs: new Map(), peeled: new Map(), ignored: 0 } } as const;
    const wish = { wants: ids(1), haves: [], pack: 'thin' } as const;

    expect(await codeOf(() => fetchRequest(v0, wish))).toBe('unsupported');
    expect(await codeOf(() => fetchRequest(v2, { ...wish, filter: 'blob:none' }))).toBe('unsupported');
    expect(() => fetchRequest({ ...v2, fetch: new Set(['filter']) }, { ...wish, filter: 'x\n0000' })).toThrow(RangeError);
  });
});

describe('an answer to a fetch', () => {
  const pack = `\u0001PACK\0\0\0\u0002\0\0\0\0${'x'.repeat(20)}`;
  const error = '\u0003fatal: \u001b[31mno\r\nsuch thing\u202e';

  it('is one pack, however it is cut', async () => {
    const whole = packets('packfile\n', '\u0001', '\u0001PA', '\u0002Counting: 1\rCounting: 2\r', '\u0001CK\0\0\0\u0002', '\u0001rest', '|flush');
    const progress: string[] = [];

    const bytes = await Array.fromAsync(readFetch(inPieces(whole, 1), { version: 2, maxBytes: 100, onProgress: (line) => progress.push(line) }));

    expect(Buffer.concat(bytes).toString()).toBe('PACK\0\0\0\u0002rest');
    expect(progress).toEqual(['Counting: 2']);
  });

  it('may begin with acknowledgments that were not asked for', async () => {
    const acknowledged = packets('acknowledgments', `ACK ${'a'.repeat(40)}`, 'ready', '|delimiter', 'packfile', pack, '|flush');

    expect(await packOf(acknowledged)).toHaveLength(32);
  });

  it.each([
    ['remote-error', 'an error in the side band', packets('packfile', pack, error)],
    ['remote-error', 'an error packet', packets('ERR upload-pack: no')],
    ['truncated', 'no end', packets('packfile', pack)],
    ['truncated', 'an end within a packet', packets('packfile', pack, '|flush').subarray(0, -5)],
    ['truncated', 'no pack', packets('packfile', '|flush')],
    ['truncated', 'nothing', Buffer.alloc(0)],
    ['malformed', 'something else than a pack', packets('packfile', '\u0001PACX', '|flush')],
    ['malformed', 'a pack of another version', packets('packfile', '\u0001PACK\0\0\0\u0004', '|flush')],
    ['malformed', 'a band that is none', packets('packfile', pack, '\u0004x', '|flush')],
    ['malformed', 'an empty packet', packets('packfile', pack, '', '|flush')],
    ['malformed', 'a delimiter in the pack', packets('packfile', pack, '|delimiter')],
    ['malformed', 'more after the pack', packets('packfile', pack, '|flush', pack)],
    ['malformed', 'another section', packets('packfile-uris', 'x', '|delimiter', 'packfile', pack, '|flush')],
    ['malformed', 'an acknowledgment that is none', packets('acknowledgments', 'ACK x', '|delimiter', 'packfile', pack, '|flush')],
    ['unsupported', 'a shallow repository', packets('shallow-info', `shallow ${'a'.repeat(40)}`, '|delimiter', 'packfile', pack, '|flush')],
  ])('is refused as %s with %s', async (code, _, bytes) => {
    expect(await codeOf(() => packOf(bytes))).toBe(code);
  });

  it('of an older server begins with one acknowledgment', async () => {
    expect(await packOf(packets('NAK', pack, '|flush'), 0)).toHaveLength(32);
    expect(await codeOf(() => packOf(packets(pack, '|flush'), 0))).toBe('malformed');
  });

  it('is told in one line that no terminal obeys', async () => {
    await expect(packOf(packets('packfile', error))).rejects.toMatchObject({ message: 'git server: fatal: [31mno such thing' });
    await expect(packOf(packets(`ERR ${'é'.repeat(5000)}`))).rejects.toMatchObject({ remoteText: `${'é'.repeat(299)}…` });
  });

  it('has no more bytes than allowed, in the pack and beside it', async () => {
    const progress = Buffer.concat(Array.from({ length: 300 }, () => packets(Buffer.alloc(65_516, 2))));

    expect(await codeOf(() => packOf(packets('packfile', pack, '|flush'), 2, 32))).toBe('read');
    expect(await codeOf(() => packOf(packets('packfile', pack, '|flush'), 2, 31))).toBe('too-large');
    expect(await codeOf(() => packOf(Buffer.concat([packets('packfile'), progress, packets(pack, '|flush')]), 2, 32))).toBe('too-large');
  });

  it('has no more beside its pack than belongs there, however large a pack may be', async () => {
    const progress = packets(...Array.from({ length: 300 }, () => `\u0002${'p'.repeat(60_000)}`));

    expect(await codeOf(() => packOf(Buffer.concat([packets('packfile'), progress, packets(pack, '|flush')]), 2, 2 ** 34))).toBe('too-large');
  });

  it('has no more acknowledgments than anybody could ask for', async () => {
    const acks = Array.from({ length: MAX_HAVES + 2 }, () => `ACK ${'a'.repeat(40)}`);

    expect(await codeOf(() => packOf(packets('acknowledgments', ...acks, '|delimiter', 'packfile', pack, '|flush')))).toBe('too-many');
  });

  it('that is damaged is read or refused, and nothing else', async () => {
    const whole = packets('acknowledgments', `ACK ${'a'.repeat(40)}`, 'ready', '|delimiter', 'packfile\n', '\u0002Counting\r', pack, '\u0001more', '|flush');

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(whole.length),
        fc.integer({ min: 1, max: 60 }),
        async (changes, end, piece) => {
          const damaged = Buffer.from(whole.subarray(0, end));
          for (const [at, byte] of changes) if (at < end) damaged[at] = byte;
          await codeOf(() => Array.fromAsync(readFetch(inPieces(damaged, piece), { version: 2, maxBytes: 100 })));
        },
      ),
    );
  });

  it('closes the stream of a server when nobody reads on', async () => {
    let isClosed = false;
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield packets('packfile', pack);
        for (;;) yield packets('\u0001more');
      } finally {
        isClosed = true;
      }
    }

    for await (const bytes of readFetch(endless(), { version: 2, maxBytes: 1000 })) if (bytes.length === 4) break;

    expect(isClosed).toBe(true);
  });
});

function never(): never {
  throw new Error('the test is wrong');
}

/** The pack that a server sends to `git fetch`, which leaves `to` as it was. */
async function sentToGit(of: GitFolder, { from, to, refs }: { readonly from: string; readonly to: string; readonly refs: string }): Promise<Buffer> {
  const name = refs.replace(/^\+/, '');
  of.sh(`cp -r ${to} copy && printf '#!/bin/sh\ngit upload-pack "$@" | tee "${of.path}/sent"\n' > tee-pack && chmod 755 tee-pack`);
  of.sh(
    `git -C copy -c protocol.version=2 -c fetch.unpackLimit=1 fetch -q --no-tags -u --upload-pack="${of.path}/tee-pack" "${of.path}/${from}" ${refs}:${name}`,
  );
  const sent = of.sh('cat sent; rm -rf copy sent tee-pack');
  const start = sent.lastIndexOf(packets('packfile\n'));
  return await packOf(sent.subarray(start));
}
