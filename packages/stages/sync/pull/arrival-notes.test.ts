import { memoryStore } from '@granary/contract/memory';
import { StoreError } from '@granary/contract/ports';
import { arrivalKey } from '@granary/core/layout';
import { sha256, toInstant, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type ArrivalNote, openArrivalNotes } from './arrival-notes.ts';

const AT = toInstant(Date.UTC(2026, 0, 1));

it('puts notes that come at once into few objects, each of which goes with the last of its own', async () => {
  const store = memoryStore();
  const notes = openArrivalNotes(store, 'tiny');

  const kept = await Promise.all(Array.from({ length: 60 }, (_, number) => notes.keep(noteOf(`files/box-${number}`))));
  const [first, found] = [await objectsIn(store), await leftIn(store)];
  for (const one of kept.slice(1)) await one.remove();
  const left = await leftIn(store);
  await kept[0]?.remove();

  // 200 kB each, and at most 4 MiB in an object.
  expect([first, new Set(found)]).toEqual([3, new Set(kept.map(({ note }) => note))]);
  expect([left.length, left[0]?.path, await objectsIn(store)]).toEqual([20, 'files/box-0', 0]);
});

it('keeps what could be written where other objects could not', async () => {
  const store = memoryStore();
  let written = 0;
  const putOnce: typeof store.objects.putOnce = async (key, bytes) => {
    written += 1;
    if (written === 2) throw new StoreError('disk-full', 'no space');
    await store.objects.putOnce(key, bytes);
  };
  const notes = openArrivalNotes({ ...store, objects: { ...store.objects, putOnce } }, 'tiny');

  const kept = await Promise.allSettled(Array.from({ length: 60 }, (_, number) => notes.keep(noteOf(`files/box-${number}`))));

  expect(Object.groupBy(kept, ({ status }) => status)).toMatchObject({ fulfilled: { length: 40 }, rejected: { length: 20 } });
  expect((await leftIn(store)).length).toBe(40);
});

it('removes the object of a note that could not be removed at first', async () => {
  const store = memoryStore();
  let isBroken = true;
  const remove = async (key: Parameters<typeof store.mutable.remove>[0]) => {
    if (isBroken) throw new Error('no answer');
    await store.mutable.remove(key);
  };
  const notes = openArrivalNotes({ objects: store.objects, mutable: { ...store.mutable, remove } }, 'tiny');
  const [one, two] = await Promise.all(['1', '2'].map((path) => notes.keep(noteOf(path))));
  await one?.remove();
  await expect(two?.remove()).rejects.toThrow();

  isBroken = false;
  await two?.remove();

  expect(await objectsIn(store)).toBe(0);
});

it('gives what others left, once, and leaves an object alone that has something younger', async () => {
  const store = memoryStore();
  const [own, other] = [openArrivalNotes(store, 'tiny'), openArrivalNotes(store, 'tiny')];
  await own.keep(noteOf('own'));
  await Promise.all(['old', 'new'].map((path) => other.keep({ ...noteOf(path), at: toInstant(Date.parse(AT) + (path === 'new' ? 1 : 0)) })));
  const paths = async (until: ArrivalNote['at'] | undefined) =>
    (await Array.fromAsync(own.left(until), ({ notes }) => notes.map(({ note }) => note.path))).flat();

  expect([await paths(AT), await paths(undefined), await paths(undefined)]).toEqual([[], ['old', 'new'], []]);
});

it('gives what could be read before it throws what could not, and says what is larger than any of ours', async () => {
  const store = memoryStore();
  for (const path of ['1', '2', '3']) await openArrivalNotes(store, 'tiny').keep(noteOf(path));
  const large = arrivalKey('tiny', sha256('large'));
  await store.objects.putOnce(large, Buffer.alloc(2 ** 22 + 1));
  const [first] = await Array.fromAsync(store.objects.list('arrivals/'));
  const get: typeof store.objects.get = async (key, maxBytes) => {
    if (key === first) throw new StoreError('unreachable', 'no answer');
    return await store.objects.get(key, maxBytes);
  };
  const given: string[] = [];
  const read = async () => {
    for await (const { key } of openArrivalNotes({ ...store, objects: { ...store.objects, get } }, 'tiny').left(undefined)) given.push(key);
  };

  await expect(read()).rejects.toThrow('no answer');

  const all = await Array.fromAsync(store.objects.list('arrivals/'));
  expect([given.length, given.toSorted()]).toEqual([3, all.filter((key) => key !== first).toSorted()]);
});

it('finds again what was written though the answer was lost', async () => {
  const store = memoryStore();
  const putOnce: typeof store.objects.putOnce = async (key, bytes) => {
    await store.objects.putOnce(key, bytes);
    throw new StoreError('unreachable', 'no answer');
  };
  const notes = openArrivalNotes({ ...store, objects: { ...store.objects, putOnce } }, 'tiny');
  await expect(notes.keep(noteOf('1'))).rejects.toThrow('no answer');

  expect(await Array.fromAsync(notes.left(undefined), ({ notes: [one] }) => one?.note.path)).toEqual(['1']);
});

it('has the bytes of a file with its note', async () => {
  const store = memoryStore();
  const bytes = new Uint8Array(Buffer.from('granary'));
  const note = { ...noteOf('files/box'), bytes, blob: { sha256: sha256(bytes), sizeBytes: 7 } };

  await openArrivalNotes(store, 'tiny').keep(note);

  expect(await leftIn(store)).toEqual([note]);
});

it.each([
  ['other bytes', 'granarY'],
  ['fewer', 'granar'],
])('keeps an object in which a file has %s than its note says, and gives the rest of it', async (_, text) => {
  const store = memoryStore();
  const { keep } = openArrivalNotes(store, 'tiny');
  const blob = { sha256: sha256('granary'), sizeBytes: 7 };
  await Promise.all(['1', '2', '3'].map((path) => keep({ ...noteOf(path), blob, bytes: Buffer.from(path === '2' ? text : 'granary') })));

  const [first, ...more] = await Array.fromAsync(openArrivalNotes(store, 'tiny').left(undefined));
  for (const kept of first?.notes ?? []) await kept.remove();

  expect([more, first?.isUnreadable, first?.notes.map(({ note }) => note.path)]).toEqual([[], true, ['1', '3']]);
  expect(await objectsIn(store)).toBe(1);
});

it.each(['no json', '{}', '{"at":"now","package":"none"}', ''])('gives nothing of a line that it did not write: %s', async (line) => {
  const store = memoryStore();
  const bytes = Buffer.from(`${line}\n`);
  const key = arrivalKey('tiny', sha256(bytes));
  await store.objects.putOnce(key, bytes);

  expect(await Array.fromAsync(openArrivalNotes(store, 'tiny').left(undefined))).toEqual([{ key, notes: [], isUnreadable: true }]);
  expect(await Array.fromAsync(openArrivalNotes(store, 'other').left(undefined))).toEqual([]);
});

function noteOf(path: string): ArrivalNote {
  const statement = { url: 'http://upstream.example/', text: 'é'.repeat(100_000) };
  return { at: AT, packagePurl: toPurl('pkg:tiny/box'), path, statement, blob: { sha256: sha256(path), sizeBytes: 1 } };
}

/** As the next process finds it. */
async function leftIn(store: ReturnType<typeof memoryStore>): Promise<readonly ArrivalNote[]> {
  const left = await Array.fromAsync(openArrivalNotes(store, 'tiny').left(undefined));
  return left.flatMap(({ notes }) => notes.map(({ note }) => note));
}

async function objectsIn({ objects }: ReturnType<typeof memoryStore>): Promise<number> {
  return (await Array.fromAsync(objects.list('arrivals/'))).length;
}
