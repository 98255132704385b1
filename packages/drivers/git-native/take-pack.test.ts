import { memoryStore } from '@granary/contract/memory';
import type { Repositories } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRepositories } from './index.ts';
import { scratchFolder } from './test/scratch-folder.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

const LIMITS = { maxBytes: 50_000_000, timeoutMs: 60_000 };

async function opened(options: { readonly maxMemoryBytes?: number } = {}) {
  const { blobs } = memoryStore();
  const repositories = await openRepositories({ folder: await scratchFolder(), blobs, maxBytes: 1_000_000_000, ...options });
  onTestFinished(() => repositories[Symbol.asyncDispose]());
  const open = (objectFormat: 'sha1' | 'sha256' = 'sha1'): ReturnType<Repositories['open']> => repositories.open('r', { objectFormat, packs: [] });
  return { blobs, repositories, open };
}

describe('a pack that is taken', () => {
  it.each(['sha1', 'sha256'] as const)('lies in the store with its index, and its objects are here, of a repository of %s', async (objectFormat) => {
    const { blobs, open } = await opened();
    const upstream = await upstreamRepository(objectFormat);
    const tip = upstream.commit('a', 'one\n');
    const pack = upstream.pack([tip]);
    const repository = await open(objectFormat);

    const taken = await repository.take(inPieces(pack), [tip], LIMITS);

    expect(taken).toMatchObject({ pack: sha256(pack), sizeBytes: pack.length, objects: 3, findings: [], findingsTotal: 0 });
    expect(await blobs.read(taken.pack, 1_000_000)).toEqual(new Uint8Array(pack));
    expect(await blobs.size(taken.index)).toBeGreaterThan(1000);
    expect(await repository.having([tip, '1'.repeat(tip.length)])).toEqual(new Set([tip]));
  });
});
