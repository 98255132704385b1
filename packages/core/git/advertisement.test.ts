import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readAdvertisement } from './index.ts';
import { advertised, codeOf, gitFolder, inPieces, packets } from './test/index.ts';

const COMMITS = 'git init -q -b main r && cd r && git commit -q --allow-empty -m 1 && git tag -a v1 -m v1 && git tag light';
const folder =
  gitFolder(`(${COMMITS}) && git init -q --bare -b trunk empty && git init -q --object-format=sha256 other && git -C other commit -q --allow-empty -m 1
git clone -q --bare r detached && git -C detached update-ref --no-deref HEAD $(git -C r rev-parse main)`);
afterAll(() => folder[Symbol.dispose]());

const read = (bytes: Uint8Array, options: { readonly maxRefs?: number; readonly maxBytes?: number } = {}) => readAdvertisement(inPieces(bytes), options);
const id = 'a'.repeat(40);
const first = (name: string, capabilities = 'side-band-64k') => `${id} ${name}\0${capabilities}\n`;

describe('a real server', () => {
  it('of protocol v2 says what it can', async () => {
    expect(await read(advertised(folder, 'r', 2))).toMatchObject({
      version: 2,
      objectFormat: 'sha1',
      lsRefs: new Set(['unborn']),
      fetch: new Set(['shallow', 'wait-for-done']),
      advertisesAgent: true,
    });
    expect(await read(advertised(folder, 'other', 2))).toMatchObject({ objectFormat: 'sha256' });
  });

  it.each([0, 1] as const)('of protocol v%i lists its refs, with what tags come to', async (version) => {
    const server = await read(Buffer.concat([packets('# service=git-upload-pack\n', '|flush'), advertised(folder, 'r', version)]));

    if (server.version !== 0) throw new Error('not an older server');
    const shown = folder.sh("git -C r for-each-ref --format='%(refname) %(objectname)'").toString().trim().split('\n');
    expect([...server.listed.refs].map(([name, objectId]) => `${name} ${objectId}`)).toEqual(shown);
    expect([...server.listed.peeled]).toEqual([['refs/tags/v1', server.listed.refs.get('refs/heads/main')]]);
    expect([server.listed.head, server.capabilities.has('side-band-64k'), server.objectFormat]).toEqual(['refs/heads/main', true, 'sha1']);
  });

  it('of an older protocol has HEAD among its refs where it is detached, and no refs where nothing was committed', async () => {
    const detached = await read(advertised(folder, 'detached', 0));
    const empty = await read(advertised(folder, 'empty', 0));

    expect(detached).toMatchObject({ listed: { refs: expect.toSatisfy((refs: Map<string, string>) => refs.has('HEAD') && refs.size === 4) } });
    expect(empty).toMatchObject({ version: 0, listed: { refs: new Map(), ignored: 0 } });
    expect(await read(advertised(folder, 'other', 0))).toMatchObject({ objectFormat: 'sha256' });
  });
});

describe('an announcement', () => {
  it('may be that of a service alone where there are no refs', async () => {
    expect(await read(packets('# service=git-upload-pack\n', '|flush', '|flush'))).toMatchObject({ version: 0, listed: { refs: new Map() } });
  });

  it('of an older server leaves out bad names, and what they come to', async () => {
    const bytes = packets(first('refs/heads/a..b'), `${id} refs/heads/a..b^{}`, `${id} refs/tags/t`, `${id} refs/tags/t^{}`, '|flush');

    expect(await read(bytes)).toMatchObject({ listed: { refs: new Map([['refs/tags/t', id]]), peeled: new Map([['refs/tags/t', id]]), ignored: 1 } });
  });

  it.each([
    // Its first id begins like the length of a packet.
    ['truncated', 'a dumb server', Buffer.from(`${id}\trefs/heads/main\n`)],
    ['malformed', 'a page of HTML', Buffer.from('<!doctype html><title>Sign in</title>')],
    ['malformed', 'another service', packets('# service=git-receive-pack\n', '|flush', first('HEAD'), '|flush')],
    ['malformed', 'a service without an end', packets('# service=git-upload-pack\n', 'version 2', '|flush')],
    ['malformed', 'more after the end', packets('version 2', 'ls-refs', 'fetch', '|flush', 'x')],
    ['malformed', 'more after the refs', packets(first('HEAD'), '|flush', `${id} refs/heads/a`)],
    ['malformed', 'a capability that is none', packets('version 2', 'ls-refs', 'fetch', 'a b', '|flush')],
    ['malformed', 'an id of another length', packets(`${id}a refs/heads/a\0x`, '|flush')],
    ['malformed', 'zeros for a ref', packets(`${'0'.repeat(40)} refs/heads/a\0x`, '|flush')],
    ['malformed', 'a delimiter', packets(first('HEAD'), '|delimiter', '|flush')],
    ['truncated', 'no end', packets('version 2', 'ls-refs', 'fetch')],
    ['truncated', 'refs without an end', packets(first('HEAD'))],
    ['truncated', 'nothing', Buffer.alloc(0)],
    ['unsupported', 'another hash', packets('version 2', 'ls-refs', 'fetch', 'object-format=sha512', '|flush')],
    ['unsupported', 'another hash of an older server', packets(first('HEAD', 'object-format=md5'), '|flush')],
    ['unsupported', 'no fetching', packets('version 2', 'ls-refs', '|flush')],
    ['unsupported', 'a shallow repository', packets(first('HEAD'), `shallow ${id}`, '|flush')],
    ['duplicate', 'one ref twice', packets(first('refs/heads/a'), `${id} refs/heads/a`, '|flush')],
    ['duplicate', 'one tag peeled twice', packets(first('refs/tags/a'), `${id} refs/tags/a^{}`, `${id} refs/tags/a^{}`, '|flush')],
    ['remote-error', 'an error', packets('# service=git-upload-pack\n', '|flush', 'ERR access denied')],
    ['too-many', 'too many capabilities', packets('version 2', ...Array.from({ length: 257 }, (_, at) => `c${at}`), '|flush')],
    ['too-many', 'too many capabilities of an older server', packets(first('HEAD', 'x '.repeat(257)), '|flush')],
  ])('is %s with %s', async (code, _, bytes) => {
    expect(await codeOf(() => read(bytes))).toBe(code);
  });

  it('is refused when it is longer than its limits', async () => {
    const bytes = packets(first('refs/heads/a'), `${id} refs/heads/b`, '|flush');

    expect(await codeOf(() => read(bytes, { maxRefs: 2, maxBytes: bytes.length }))).toBe('read');
    expect(await codeOf(() => read(bytes, { maxRefs: 1 }))).toBe('too-many');
    expect(await codeOf(() => read(bytes, { maxBytes: bytes.length - 1 }))).toBe('too-large');
  });

  it.each([0, 2] as const)('of protocol v%i that is damaged is read or refused, and nothing else', async (version) => {
    const whole = advertised(folder, 'r', version);

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(whole.length), async (changes, end) => {
        const damaged = Buffer.from(whole.subarray(0, end));
        for (const [at, byte] of changes) if (at < end) damaged[at] = byte;
        await codeOf(() => read(damaged));
      }),
    );
  });
});
