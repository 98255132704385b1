import { readFileSync } from 'node:fs';
import type { Held } from '@granary/contract/ecosystem';
import { type Purl, packageOf, type Sha256, sha256 } from '@granary/core/model';
import { TILE_WIDTH } from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerQuestion } from './answers.ts';
import { databaseOf, isLeftOut } from './database.ts';
import { recordName } from './kept-files.ts';
import { proveRecord } from './prove-record.ts';
import { formatRecord, hashIn, parseLookup } from './record.ts';

/** What golang.org/x/mod/sumdb answered at two sizes of one log: `cd test/golden && go run ./modules record`. */
const Fixture = z.object({ key: z.string(), states: z.array(z.object({ size: z.number(), answers: z.record(z.string(), z.base64()) })) });
const fixture = Fixture.parse(JSON.parse(readFileSync(new URL('../fixtures/sumdb.json', import.meta.url), 'utf8')));
const BASE = 'https://proxy.example/';
const NAME = 'sums.example';
const module = (number: number) => ({ path: `padding.example/m${number}`, version: 'v1.0.0' });

/** An upstream in one of its states; answers can be changed. */
function upstream(state: 0 | 1, changed: Readonly<Record<string, Uint8Array | undefined>> = {}) {
  const asked: string[] = [];
  const answers = fixture.states[state]?.answers ?? {};
  const fetch = async (url: string): Promise<Uint8Array | undefined> => {
    const path = url.replace(`${BASE}sumdb/${NAME}/`, '');
    asked.push(path);
    if (path in changed) return changed[path];
    const answer = answers[path];
    return answer === undefined ? undefined : Buffer.from(answer, 'base64');
  };
  return { fetch, asked };
}

/** What was kept so far. */
function keeping() {
  const files = new Map<Purl, { purl: Purl; sha256: Sha256 }[]>();
  const blobs = new Map<string, Uint8Array>();
  const held: Held = { files: (purl) => files.get(purl) ?? [], read: async (digest) => blobs.get(digest) };
  const keep = (purl: Purl, bytes: Uint8Array) => {
    blobs.set(sha256(bytes), bytes);
    files.set(packageOf(purl), [...(files.get(packageOf(purl)) ?? []), { purl, sha256: sha256(bytes) }]);
  };
  const prove = async (of: ReturnType<typeof upstream>, version: ReturnType<typeof module>, isSequenced = (_purl: string) => true) => {
    const database = databaseOf(fixture.key, BASE);
    if (database === undefined) throw new TypeError('the fixture has no key');
    const proven = await proveRecord({ database, held, fetch: of.fetch }, version);
    for (const { purl, bytes } of proven?.beside ?? []) if (isSequenced(purl)) keep(purl, bytes);
    return proven;
  };
  const answer = async (question: string) => await answerQuestion(`${NAME}/${question}`, held);
  return { held, prove, answer, keep };
}

describe('a record', () => {
  it('is proven in the newest tree, and everything that proves it is kept', async () => {
    const { prove, answer } = keeping();
    const first = upstream(0);

    const proven = await prove(first, module(7));

    expect(proven?.record.id).toBe(7);
    expect(proven && hashIn(proven.record, 'padding.example/m7', 'v1.0.0', 'mod')).toBe(`h1:${'B'.repeat(43)}=`);
    for (const path of ['latest', 'lookup/padding.example/m7@v1.0.0', 'tile/8/0/000', 'tile/8/0/001.p/44', 'tile/8/1/000.p/1'])
      expect(Buffer.from((await answer(path)) ?? '').toString('base64'), path).toBe(fixture.states[0]?.answers[path]);
    expect(await answer('supported')).toHaveLength(0);
  });

  it('is not asked for again', async () => {
    const { prove } = keeping();
    await prove(upstream(0), module(7));
    const again = upstream(1);

    const proven = await prove(again, module(7));

    expect([proven?.record.id, proven?.beside, again.asked]).toEqual([7, [], []]);
  });

  it('of a later day brings the tree of that day, joined to the one before, and all are answered with it', async () => {
    const { prove, answer } = keeping();
    await prove(upstream(0), module(299));

    await prove(upstream(1), module(599));

    // The tile of record 299 was partial in the old tree: clients ask for it as the new one has it.
    for (const path of [
      'latest',
      'tile/8/0/001',
      'tile/8/0/002.p/88',
      'tile/8/1/000.p/2',
      'lookup/padding.example/m299@v1.0.0',
      'lookup/padding.example/m599@v1.0.0',
    ])
      expect(Buffer.from((await answer(path)) ?? '').toString('base64'), path).toBe(fixture.states[1]?.answers[path]);
    // A client that kept the old tree asks for no tile of it, but may have begun before.
    expect(await answer('tile/8/0/001.p/44')).toEqual(Buffer.from(fixture.states[0]?.answers['tile/8/0/001.p/44'] ?? '', 'base64'));
  });

  it('that an older tree has is proven in it, though upstream went on', async () => {
    const { prove, answer } = keeping();
    await prove(upstream(0), module(7));
    const later = upstream(1, { 'tile/8/0/001.p/44': undefined });

    await prove(later, module(299));

    expect(later.asked).toEqual(['lookup/padding.example/m299@v1.0.0']);
    expect(Buffer.from((await answer('latest')) ?? '').toString('base64')).toBe(fixture.states[0]?.answers['latest']);
  });

  it.each([
    ['a record of its own', { 'lookup/padding.example/m7@v1.0.0': forged(0, 'lookup/padding.example/m7@v1.0.0', 'AAAA', 'CCCC') }],
    ['a number of its own', { 'lookup/padding.example/m7@v1.0.0': forged(0, 'lookup/padding.example/m7@v1.0.0', '7\n', '8\n') }],
    ['a tree that nobody signed', { latest: forged(0, 'latest', '300\n', '301\n') }],
    ['a tile of its own', { 'tile/8/0/000': new Uint8Array(TILE_WIDTH * 32) }],
    ['a tile that is too short', { 'tile/8/0/000': new Uint8Array(31) }],
    ['no tile', { 'tile/8/0/000': undefined }],
    ['no record, but says that it speaks for the database', { 'lookup/padding.example/m7@v1.0.0': undefined, supported: new Uint8Array() }],
  ])('is refused when upstream has %s', async (_, changed) => {
    await expect(keeping().prove(upstream(0, changed), module(7))).rejects.toMatchObject({ code: 'mismatch' });
  });

  it('is refused when the log is another one than before', async () => {
    const { prove } = keeping();
    await prove(upstream(0), module(7));
    const changed = { 'tile/8/0/001': new Uint8Array(TILE_WIDTH * 32) };

    await expect(prove(upstream(1, changed), module(599))).rejects.toMatchObject({ code: 'mismatch' });
  });

  it('cannot be had from an upstream that does not speak for the database', async () => {
    expect(await keeping().prove(upstream(0, { 'lookup/padding.example/m7@v1.0.0': undefined }), module(7))).toBeUndefined();
  });
});

describe('an answer', () => {
  const first = 'lookup/padding.example/m7@v1.0.0';
  const later = 'lookup/padding.example/m599@v1.0.0';
  const of = (state: 0 | 1, path: string) => Buffer.from(fixture.states[state]?.answers[path] ?? '', 'base64');

  it.each([
    ['its tree', (purl: string) => !purl.includes('/tree@')],
    ['a tile that shows it in its tree', (purl: string) => !purl.includes('/tile/')],
    ['anything but itself', (purl: string) => purl.includes('/record/')],
  ])('has no record that was sequenced before %s, and others with the tree that has them', async (_, isSequenced) => {
    const { prove, answer } = keeping();
    await prove(upstream(0), module(7));
    await prove(upstream(1), module(599), isSequenced);

    expect(await answer(later)).toBeUndefined();
    expect(await answer(first)).toEqual(of(0, first));
  });

  it('has no record whose number is the size of the newest tree, which ends before it', async () => {
    const { prove, answer, keep } = keeping();
    await prove(upstream(0), module(7));
    const text = 'padding.example/m300 v1.0.0 h1:A=\n';
    keep(recordName(NAME, 'padding.example/m300', 'v1.0.0').purl, formatRecord({ id: 300, text }));

    expect(await answer('lookup/padding.example/m300@v1.0.0')).toBeUndefined();
  });

  it('is none to what was never kept', async () => {
    const { prove, answer } = keeping();
    expect(await answer('supported')).toBeUndefined();
    await prove(upstream(0), module(7));

    for (const path of [
      'lookup/padding.example/m8@v1.0.0',
      'lookup/Padding.example/m7@v1.0.0',
      'lookup/',
      'tile/8/0/002',
      'tile/8/data/000',
      'tile/4/0/000',
      'tile/8/0/001.p/300',
    ])
      expect(await answer(path), path).toBeUndefined();
  });
});

describe('a look-up', () => {
  it.each(['', '7', '7\ntext\n', '-1\ntext\n\n', '1e3\ntext\n\n', '99999999999999999999\ntext\n\n'])('is not %j', (text) => {
    expect(() => parseLookup(new TextEncoder().encode(text))).toThrow(/no number or no end/);
  });
});

describe('GOSUMDB', () => {
  it('is a key, and the upstream or an address of its own', () => {
    expect(databaseOf(fixture.key, BASE)?.address).toBe(`${BASE}sumdb/${NAME}`);
    expect(databaseOf(`${fixture.key} https://sums.example/db/`, BASE)?.address).toBe('https://sums.example/db');
    expect([undefined, '', 'off'].map((setting) => databaseOf(setting, BASE))).toEqual([undefined, undefined, undefined]);
    expect(() => databaseOf('sums.example', BASE)).toThrow(/expected GOSUMDB to hold its verifier key/);
  });

  it('is not asked about what GONOSUMDB names', () => {
    expect(
      ['corp.example/a', 'corp.example/a/b', 'x.corp.example/a', 'mod.example/lamp'].map((path) => isLeftOut('*.corp.example,corp.example/a,', path)),
    ).toEqual([true, true, true, false]);
    expect(isLeftOut(undefined, 'mod.example/lamp')).toBe(false);
  });
});

function forged(state: 0 | 1, path: string, from: string, to: string): Uint8Array {
  return Buffer.from(
    Buffer.from(fixture.states[state]?.answers[path] ?? '', 'base64')
      .toString()
      .replace(from, to),
  );
}
