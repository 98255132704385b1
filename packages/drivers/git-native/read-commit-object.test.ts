import { describe, expect, it } from 'vitest';
import { heldCommit, heldFrom } from './test/held-history.ts';
import { blobOf, idOf } from './test/raw-pack.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

const ENOUGH = { maxBytes: 10_000 };
const file = blobOf('text\n');
const fileId = idOf('blob', file.bytes);

describe('a commit', () => {
  it.each(['sha1', 'sha256'] as const)('has the bytes that its id is the digest of, of a repository of %s, by a tag too', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    upstream.git('commit', '--quiet', '--allow-empty', '--message', 'ü\n\nlines\n');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1');
    const [commit, tag] = [upstream.git('rev-parse', 'HEAD'), upstream.git('rev-parse', 'v1')];
    const repository = await heldFrom(upstream, [commit, tag], objectFormat);

    const bytes = await repository.commitObject(commit, ENOUGH);

    expect(upstream.pipe(Buffer.from(bytes).toString('utf8'), 'hash-object', '-t', 'commit', '--stdin')).toBe(commit);
    expect(await repository.commitObject(tag, ENOUGH)).toEqual(bytes);
  });

  it('is not read where it is none, not here, or larger than is allowed', async () => {
    const { repository, commit } = await heldCommit([['100644', 'a', fileId]], [file]);
    const { length } = await repository.commitObject(commit, ENOUGH);

    await expect(repository.commitObject(fileId, ENOUGH)).rejects.toMatchObject({ code: 'malformed' });
    await expect(repository.commitObject('HEAD', ENOUGH)).rejects.toMatchObject({ code: 'malformed' });
    await expect(repository.commitObject('1'.repeat(40), ENOUGH)).rejects.toMatchObject({ code: 'incomplete' });
    await expect(repository.commitObject(commit, { maxBytes: length - 1 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
    expect(await repository.commitObject(commit, { maxBytes: length })).toHaveLength(length);
  });
});
