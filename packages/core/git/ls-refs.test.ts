import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { lsRefsRequest, readAdvertisement, readLsRefs, type ServerV2 } from './index.ts';
import { advertised, answered, codeOf, type GitFolder, gitFolder, inPieces, packets } from './test/index.ts';

const COMMITS = 'git init -q -b main r && cd r && git commit -q --allow-empty -m 1 && git tag -a v1 -m v1 && git tag light && git branch side';
const folder = gitFolder(`(${COMMITS}) && git init -q --bare -b trunk empty && (git clone -q r detached && cd detached && git checkout -q --detach)`);
afterAll(() => folder[Symbol.dispose]());

const server: ServerV2 = {
  version: 2,
  objectFormat: 'sha1',
  lsRefs: new Set(['unborn']),
  fetch: new Set(),
  advertisesAgent: true,
  advertisesObjectFormat: true,
};
const id = (text: string) => text.padStart(40, 'a');
const list = (bytes: Uint8Array, options: { readonly maxRefs?: number; readonly maxBytes?: number } = {}) =>
  readLsRefs(inPieces(bytes), { objectFormat: 'sha1', ...options });

function revision(of: GitFolder, name: string): string {
  return of.sh(`git -C r rev-parse ${name}`).toString().trim();
}

describe('the refs of a real server', () => {
  it('are those that git sees, with what tags come to and the branch that HEAD names', async () => {
    const announced = await readAdvertisement(inPieces(advertised(folder, 'r', 2)));
    if (announced.version !== 2) throw new Error('this git speaks no protocol v2');

    const { refs, peeled, head, ignored } = await list(answered(folder, 'r', { body: lsRefsRequest(announced), version: 2 }));

    const shown = folder.sh("git -C r for-each-ref --format='%(refname) %(objectname)'").toString().trim().split('\n');
    expect([...refs].map(([name, objectId]) => `${name} ${objectId}`)).toEqual(shown);
    expect([...peeled]).toEqual([['refs/tags/v1', revision(folder, 'v1^{commit}')]]);
    expect([head, ignored]).toEqual(['refs/heads/main', 0]);
  });

  it('are asked for by prefix', async () => {
    const { refs, head } = await list(answered(folder, 'r', { body: lsRefsRequest(server, ['HEAD', 'refs/heads/']), version: 2 }));

    expect([...refs.keys()]).toEqual(['refs/heads/main', 'refs/heads/side']);
    expect(head).toBe('refs/heads/main');
  });

  it('are none where nothing was committed, and HEAD names the branch that is to be', async () => {
    expect(await list(answered(folder, 'empty', { body: lsRefsRequest(server), version: 2 }))).toEqual({
      refs: new Map(),
      peeled: new Map(),
      ignored: 0,
      head: 'refs/heads/trunk',
    });
  });

  it('have HEAD among them where it is detached, or its branch was not asked for', async () => {
    const main = revision(folder, 'main');

    const detached = await list(answered(folder, 'detached', { body: lsRefsRequest(server), version: 2 }));
    const hidden = await list(answered(folder, 'r', { body: lsRefsRequest(server, ['HEAD', 'refs/tags/l']), version: 2 }));

    expect([detached.refs.get('HEAD'), detached.head]).toEqual([main, undefined]);
    expect([[...hidden.refs], hidden.head]).toEqual([
      [
        ['HEAD', main],
        ['refs/tags/light', main],
      ],
      undefined,
    ]);
  });
});

describe('a list of refs', () => {
  it('leaves out names that git forbids, and counts them', async () => {
    const bad = ['refs/heads/a..b', 'refs/heads/a.lock', 'refs/heads/@{x', 'refs/heads/a\u0007', 'refs/heads/', `refs/heads/${'n'.repeat(1024)}`, 'FETCH_HEAD'];
    const names = [...bad, '__proto__', 'constructor', '../../etc/passwd', 'refs/../x'];

    const { refs, ignored } = await list(packets(...names.map((name) => `${id('1')} ${name}`), Buffer.from(`${id('1')} refs/heads/\xe4`, 'latin1'), '|flush'));

    expect([refs.size, ignored]).toEqual([0, names.length + 1]);
  });

  it('takes names of prototypes for names', async () => {
    const { refs, peeled } = await list(packets(`${id('1')} refs/tags/__proto__ peeled:${id('2')}`, `${id('3')} refs/heads/constructor`, '|flush'));

    expect([...refs.keys(), ...peeled]).toEqual(['refs/tags/__proto__', 'refs/heads/constructor', ['refs/tags/__proto__', id('2')]]);
  });

  it('leaves attributes alone that nobody asked for', async () => {
    expect((await list(packets(`${id('1')} refs/heads/a new-thing:x\n`, '|flush'))).refs.size).toBe(1);
  });

  it.each([
    ['duplicate', 'one ref twice', packets(`${id('1')} refs/heads/a`, `${id('2')} refs/heads/a`, '|flush')],
    ['duplicate', 'HEAD twice', packets(`${id('1')} HEAD`, `${id('1')} HEAD`, '|flush')],
    ['malformed', 'a short id', packets(`${id('1').slice(1)} refs/heads/a`, '|flush')],
    ['malformed', 'an id of zeros', packets(`${'0'.repeat(40)} refs/heads/a`, '|flush')],
    ['malformed', 'an id of the other format', packets(`${'a'.repeat(64)} refs/heads/a`, '|flush')],
    ['malformed', 'an id in capitals', packets(`${'A'.repeat(40)} refs/heads/a`, '|flush')],
    ['malformed', 'a peeled id that is none', packets(`${id('1')} refs/tags/a peeled:x`, '|flush')],
    ['malformed', 'a line without a name', packets(id('1'), '|flush')],
    ['malformed', 'a delimiter', packets(`${id('1')} refs/heads/a`, '|delimiter')],
    ['malformed', 'more after the end', packets(`${id('1')} refs/heads/a`, '|flush', `${id('1')} refs/heads/b`)],
    ['malformed', 'a page of HTML', Buffer.from('<html>not found</html>')],
    ['truncated', 'no end', packets(`${id('1')} refs/heads/a`)],
    ['truncated', 'nothing', Buffer.alloc(0)],
    ['remote-error', 'an error', packets('ERR access denied')],
  ])('is refused as %s with %s', async (code, _, bytes) => {
    expect(await codeOf(() => list(bytes))).toBe(code);
  });

  it('is refused when it is longer than its limits', async () => {
    const bytes = packets(`${id('1')} refs/heads/a`, `${id('1')} refs/heads/b`, `${id('1')} bad..name`, '|flush');

    expect(await codeOf(() => list(bytes, { maxRefs: 3 }))).toBe('read');
    expect(await codeOf(() => list(bytes, { maxRefs: 2 }))).toBe('too-many');
    expect(await codeOf(() => list(bytes, { maxBytes: bytes.length }))).toBe('read');
    expect(await codeOf(() => list(bytes, { maxBytes: bytes.length - 1 }))).toBe('too-large');
  });

  it('that is damaged is read or refused, and nothing else', async () => {
    const whole = answered(folder, 'r', { body: lsRefsRequest(server), version: 2 });

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(whole.length), async (changes, end) => {
        const damaged = Buffer.from(whole.subarray(0, end));
        for (const [at, byte] of changes) if (at < end) damaged[at] = byte;
        await codeOf(() => list(damaged));
      }),
    );
  });
});

it('a request for refs holds no prefix that ends a line, and not too many', () => {
  expect(() => lsRefsRequest(server, ['refs/heads/\n0000'])).toThrow(RangeError);
  expect(() =>
    lsRefsRequest(
      server,
      Array.from({ length: 101 }, () => 'refs/'),
    ),
  ).toThrow(RangeError);
});
