import { execFile, execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { StoredPack } from '@granary/contract/ports';
import { encodePacket, encodeSpecial } from '@granary/core/git';
import { describe, expect, it } from 'vitest';
import { gitServer } from './test/git-server.ts';
import { LIMITS, type OpenedDriver, openDriver } from './test/open-driver.ts';
import { scratchFolder } from './test/scratch-folder.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

async function packFiles({ folder }: OpenedDriver): Promise<readonly string[]> {
  const [id = ''] = await readdir(join(folder, 'held'));
  return await readdir(join(folder, 'held', id, 'objects', 'pack'));
}

const isIndexed = async (driver: OpenedDriver): Promise<boolean> => (await packFiles(driver)).some((name) => /^multi-pack-index-.*\.bitmap$/.test(name));

describe('an index for serving', () => {
  it('comes after the first clone, over all packs, of which many become few and none of their objects is lost', async () => {
    const faults: unknown[] = [];
    const driver = await openDriver({ onFault: (error) => faults.push(error) });
    const repository = await driver.open();
    const upstream = await upstreamRepository();
    const tips: string[] = [];
    const packs: StoredPack[] = [];
    upstream.commit('first', 'first\n');
    for (let n = 0; n < 20; n += 1) {
      // Every other history is thrown away upstream.
      if (n % 2 === 1) upstream.git('reset', '--quiet', '--hard', 'HEAD~1');
      tips.push(upstream.commit(`f${n}`, `${n}\n`));
      packs.push(await repository.take(inPieces(upstream.pack(tips.slice(-1), tips.slice(0, -1))), tips.slice(-1), LIMITS));
    }
    const url = await gitServer(repository, { refs: upstream.refs(), head: 'refs/heads/main' });
    const clone = async (): Promise<string> => {
      const copy = join(await scratchFolder(), 'copy');
      // The server lies in this process: nothing may wait for the clone in it.
      await run(['clone', '--quiet', '--mirror', url, copy]);
      return execFileSync('git', ['-C', copy, 'rev-list', '--all', '--objects'], { encoding: 'utf8' }).trim();
    };

    const before = await clone();
    await expect.poll(() => isIndexed(driver), { timeout: 60_000, interval: 200 }).toBe(true);
    const [after] = await Promise.all([clone(), clone()]);

    expect(before).toBe(upstream.git('rev-list', '--all', '--objects'));
    expect(after).toBe(before);
    expect((await packFiles(driver)).filter((name) => name.endsWith('.pack')).length).toBeLessThan(10);
    expect(await repository.having(tips)).toEqual(new Set(tips));
    await driver.close();
    const again = await openDriver(driver);
    expect(await (await again.open(packs)).having(tips)).toEqual(new Set(tips));
    expect(await isIndexed(again)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('comes some time after the first pack, before anybody has asked for it', async () => {
    const driver = await openDriver({ indexAfterMs: 500 });
    const repository = await driver.open();
    const upstream = await upstreamRepository();
    const tip = upstream.commit('first', 'first\n');

    await repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS);

    expect(await isIndexed(driver)).toBe(false);
    await expect.poll(() => isIndexed(driver), { timeout: 60_000, interval: 200 }).toBe(true);
  });

  it('waits for the end of an answer, and for one with objects', async () => {
    const driver = await openDriver();
    const repository = await driver.open();
    const upstream = await upstreamRepository();
    const tip = upstream.commit('first', 'first\n');
    await repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS);
    const shown = { refs: upstream.refs(), head: 'refs/heads/main' };
    const ask = async (...lines: readonly Uint8Array[]) =>
      await repository.uploadPack(shown, {
        operation: 'upload-pack',
        protocol: 'version=2',
        body: inPieces(Buffer.concat([...lines, encodeSpecial('flush')])),
      });

    await Array.fromAsync(await ask(encodePacket('command=ls-refs\n'), encodeSpecial('delimiter')));
    const answer = await ask(encodePacket('command=fetch\n'), encodeSpecial('delimiter'), encodePacket(`want ${tip}\n`), encodePacket('done\n'));
    await sleep(1500);
    expect(await isIndexed(driver)).toBe(false);

    await Array.fromAsync(answer);
    await expect.poll(() => isIndexed(driver), { timeout: 60_000, interval: 200 }).toBe(true);
  });
});

async function run(args: readonly string[]): Promise<void> {
  await promisify(execFile)('git', args);
}
