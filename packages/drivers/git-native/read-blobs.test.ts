import { describe, expect, it } from 'vitest';
import { heldFrom } from './test/held-history.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { blobOf, idOf, rawPack } from './test/raw-pack.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

const MIB = 1024 * 1024;

describe('blobs', () => {
  it.each(['sha1', 'sha256'] as const)('are read whole, whatever is in them, of a repository of %s', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    const commit = upstream.commit('empty', '');
    const contents = ['', '\n', `${commit} blob 3\nabc\n`, 'x'.repeat(300_000), Buffer.from(Array.from({ length: 1024 }, (_, n) => n % 256))].map((text) =>
      Buffer.from(text),
    );
    const ids = contents.map((bytes) => upstream.pipe(bytes, 'hash-object', '-w', '--stdin'));
    upstream.git('tag', '--annotate', '--message', 'm', 'v1', ids[2] ?? '');
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const repository = await heldFrom(upstream, [commit, tag, ...ids], objectFormat);
    const noBlobs = [commit, tag, upstream.git('rev-parse', 'HEAD^{tree}'), '1'.repeat(commit.length)];

    const blobs = await repository.blobs([...noBlobs, ...ids, ...ids], { maxBytes: 300_000 });

    expect(blobs).toEqual(new Map(ids.map((id, n) => [id, new Uint8Array(contents[n] ?? [])])));
    expect([...(await repository.blobs(ids, { maxBytes: 299_999 })).keys()]).toEqual(ids.filter((_, n) => n !== 3));
    expect(await repository.blobs(noBlobs, { maxBytes: 300_000 })).toEqual(new Map());
    expect(await repository.blobs([], { maxBytes: 300_000 })).toEqual(new Map());
  });

  it('are not read where they are more together than memory should hold', async () => {
    const blobs = Array.from({ length: 17 }, (_, n) => ({ type: 'blob', bytes: new Uint8Array(16 * MIB).fill(n) }) as const);
    const ids = blobs.map(({ bytes }) => idOf('blob', bytes));
    const repository = await (await openDriver()).open();
    await repository.take(inPieces(rawPack(blobs)), ids, LIMITS);

    await expect(repository.blobs(ids, { maxBytes: 16 * MIB })).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
    expect((await repository.blobs(ids, { maxBytes: 16 * MIB - 1 })).size).toBe(0);
    expect((await repository.blobs(ids.slice(0, 2), { maxBytes: 16 * MIB })).get(ids[1] ?? '')).toEqual(blobs[1]?.bytes);
  });

  it('are not read by what is no object id, or after the driver is closed', async () => {
    const driver = await openDriver();
    const repository = await driver.open();
    const file = blobOf('text\n');

    for (const id of ['HEAD', '', `${'1'.repeat(40)}\nHEAD`, '1'.repeat(64)])
      await expect(repository.blobs([id], { maxBytes: 1 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
    await driver.close();
    await expect(repository.blobs([idOf('blob', file.bytes)], { maxBytes: 1 })).rejects.toMatchObject({ code: 'unavailable' });
  });
});
