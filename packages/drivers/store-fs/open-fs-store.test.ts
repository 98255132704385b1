import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectStoreContract } from '@granary/contract/suites';
import { derivedKey, envelopeKey, type ObjectKey, pendingKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { nodeFileOperations, openFsStore } from './index.ts';
import { tempName, tempOwner } from './temp-files.ts';
import { faultyOperations } from './test/faulty-operations.ts';
import { scratchFolder } from './test/scratch-folder.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the fs store', () => {
  objectStoreContract({
    open: async () => openFsStore(join(await scratchFolder(), 'not', 'yet', 'there')),
    openFaulty: async (fault) => {
      const folder = join(await scratchFolder(), 'data');
      const operations = faultyOperations(fault);
      return { store: await openFsStore(folder, { operations }), fired: operations.fired, reopen: () => openFsStore(folder) };
    },
  });

  it('writes nothing until something is put', async () => {
    const folder = join(await scratchFolder(), 'data');

    const { objects } = await openFsStore(folder);

    expect(await Array.fromAsync(objects.list(''))).toEqual([]);
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a key that was forged to leave its folder', async () => {
    const store = await openFsStore(await scratchFolder());

    for (const forged of ['../escape', '/etc/hosts', 'derived/../../x', '.tmp/x', 'a//b', 'a\0b']) {
      const key = forged as ObjectKey;
      await expect(store.objects.putOnce(key, bytes('x'))).rejects.toThrow(RangeError);
      await expect(store.objects.get(key, 10)).rejects.toThrow(RangeError);
    }
  });

  it('makes folders again that somebody deleted', async () => {
    const folder = await scratchFolder();
    const { objects } = await openFsStore(folder);
    await objects.putOnce(derivedKey('catalog/1'), bytes('one'));
    await rm(folder, { recursive: true });

    await objects.putOnce(derivedKey('catalog/2'), bytes('two'));

    expect(await objects.get(derivedKey('catalog/2'), 10)).toEqual(bytes('two'));
  });

  it('leaves no unfinished file behind', async () => {
    const folder = await scratchFolder();
    const { objects, mutable } = await openFsStore(folder);

    await objects.putOnce(derivedKey('a'), bytes('one'));
    await mutable.replace(derivedKey('a'), bytes('two'));

    expect(await readdir(join(folder, '.tmp'))).toEqual([]);
  });

  it('waits for the writes under way when it is disposed', async () => {
    const store = await openFsStore(await scratchFolder());
    let done = false;
    const put = store.objects.putOnce(envelopeKey(sha256('a')), bytes('a')).then(() => {
      done = true;
    });

    await store[Symbol.asyncDispose]();

    expect(done).toBe(true);
    await put;
  });

  it.each([
    ['ENOSPC', 'disk-full', /free some space/],
    ['EDQUOT', 'disk-full', /free some space/],
    ['EROFS', 'read-only', /mount it writable/],
    ['EACCES', 'read-only', /right to write/],
    ['EXDEV', 'unreachable', /one/],
  ])('says what to do about %s', async (code, expected, remedy) => {
    const folder = await scratchFolder();
    const { objects } = await openFsStore(folder, { operations: faultyOperations({ step: 3, effect: 'lost' }, code) });

    const put = objects.putOnce(derivedKey('a'), bytes('a'));

    await expect(put).rejects.toMatchObject({ name: 'StoreError', code: expected, message: expect.stringMatching(remedy) });
  });
});

describe('group commit', () => {
  it('shares fsyncs of a folder among writes that overlap', async () => {
    let syncs = 0;
    const counting = {
      ...nodeFileOperations,
      syncFolder(path: string) {
        syncs += 1;
        return nodeFileOperations.syncFolder(path);
      },
    };
    const { objects } = await openFsStore(await scratchFolder(), { operations: counting });
    const facts = Array.from({ length: 200 }, (_, n) => pendingKey(sha256('one prefix'), sha256(String(n))));

    await Promise.all(facts.map((key) => objects.putOnce(key, bytes(key))));

    expect(syncs).toBeLessThan(150);
  });

  it('does not let a write join an fsync that began before it', async () => {
    const events: string[] = [];
    const recording = {
      ...nodeFileOperations,
      async link(from: string, to: string) {
        await nodeFileOperations.link(from, to);
        events.push(`link ${to}`);
      },
      async syncFolder(path: string) {
        events.push(`sync ${path}`);
        await nodeFileOperations.syncFolder(path);
      },
    };
    const folder = await scratchFolder();
    const { objects } = await openFsStore(folder, { operations: recording });

    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await objects.putOnce(derivedKey(String(n)), bytes(String(n)));
        const linked = events.indexOf(`link ${join(folder, 'derived', String(n))}`);
        expect(events.indexOf(`sync ${join(folder, 'derived')}`, linked)).toBeGreaterThan(linked);
      }),
    );
  });
});

describe('unfinished files', () => {
  async function leftBehind(owner: string, age: { readonly hours: number }): Promise<readonly string[]> {
    const folder = await scratchFolder();
    const path = join(folder, '.tmp', tempName(owner));
    await mkdir(join(folder, '.tmp'));
    await writeFile(path, 'half');
    const written = Date.now() / 1000 - age.hours * 3600;
    await utimes(path, written, written);
    await openFsStore(folder);
    return readdir(join(folder, '.tmp'));
  }
  async function ownerWith(changed: { readonly boot?: string; readonly pid?: string; readonly started?: string }): Promise<string> {
    const [boot, namespace, pid, started] = (await tempOwner()).split('.');
    return [changed.boot ?? boot, namespace, changed.pid ?? pid, changed.started ?? started].join('.');
  }

  it('of a process that lives are left alone', async () => {
    expect(await leftBehind(await ownerWith({}), { hours: 5 })).toHaveLength(1);
  });

  it('of a dead process are removed', async () => {
    expect(await leftBehind(await ownerWith({ pid: '4194305' }), { hours: 0 })).toHaveLength(0);
  });

  it('of a dead process whose number came back are removed', async () => {
    expect(await leftBehind(await ownerWith({ started: '1' }), { hours: 0 })).toHaveLength(0);
  });

  it('of another machine or container are removed when nobody wrote to them for long', async () => {
    expect(await leftBehind(await ownerWith({ boot: '0a1b2c3d' }), { hours: 0 })).toHaveLength(1);
    expect(await leftBehind(await ownerWith({ boot: '0a1b2c3d' }), { hours: 5 })).toHaveLength(0);
  });
});
