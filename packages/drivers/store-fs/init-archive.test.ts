import { memoryStore } from '@granary/contract/memory';
import { FORMAT_KEY } from '@granary/core/layout';
import { describe, expect, it } from 'vitest';
import { ARCHIVE_FORMAT, initArchive, readArchive } from './index.ts';

describe('the format file', () => {
  const archive = { format: ARCHIVE_FORMAT, origins: ['0123456789abcdef.granary.invalid'] };

  it('is written once and read back', async () => {
    const store = memoryStore();
    expect(await readArchive(store)).toBeUndefined();

    await initArchive(store, archive);
    await initArchive(store, archive);

    expect(await readArchive(store)).toEqual(archive);
  });

  it('never changes, and says whose archive it is', async () => {
    const store = memoryStore();
    await initArchive(store, archive);

    const other = initArchive(store, { ...archive, origins: ['other.granary.invalid'] });

    const message = expect.stringContaining('archive of 0123456789abcdef.granary.invalid, not of other.granary.invalid');
    await expect(other).rejects.toMatchObject({ name: 'StoreError', code: 'key-taken', message });
  });

  it.each(['{"format":2,"origins":[]}', '{"format":1,"origins":[1]}', '{"format":1}', '[]', 'null', '{ "format": 1 }'])('refuses %s', async (text) => {
    const store = memoryStore();
    await store.objects.putOnce(FORMAT_KEY, new TextEncoder().encode(text));

    await expect(readArchive(store)).rejects.toThrow(/granary\.json: /);
  });
});
