import { memoryStore } from '@granary/contract/memory';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { mirrorRootfs } from './index.ts';
import { type TinyArchive, tinyArchive } from './test/tiny-archive.ts';

const INDEX = 'dists/clamp/main/binary-amd64';
const source = { url: 'http://registry.example/debian/', suite: 'clamp', components: ['main'] };

function mirror(archive: TinyArchive, { blobs = memoryStore().blobs, keyrings = [archive.keyring], architecture = 'amd64' } = {}) {
  const resolver = {
    choose: async () => [
      { name: 'tool', version: '1.0' },
      { name: 'base', version: '1.0' },
    ],
  };
  return mirrorRootfs({ upstream: archive, blobs, resolver }, { source, keyrings, architecture, include: ['tool'], files: [] });
}

describe('mirroring a root filesystem', () => {
  it('stores the signed index, the index of packages and every package, and says what each was checked by', async () => {
    const archive = await tinyArchive();
    const { blobs } = memoryStore();

    const { recipe, artifacts } = await mirror(archive, { blobs });

    expect(recipe).toMatchObject({
      format: 1,
      suite: 'clamp',
      architecture: 'amd64',
      include: ['tool', 'usr-is-merged'],
      release: { signedAt: '2024-01-01T12:00:00.000Z' },
    });
    expect(recipe.packages.map(({ name, path }) => [name, path])).toEqual([
      ['base', 'pool/main/b/base/base_1.0_amd64.deb'],
      ['tool', 'pool/main/t/tool/tool_1.0_amd64.deb'],
    ]);
    for (const digest of [recipe.release.sha256, recipe.packagesIndex.sha256, ...recipe.packages.map((entry) => entry.sha256)])
      expect(await blobs.size(digest)).toBeGreaterThan(0);
    expect(artifacts[1]?.artifact).toMatchObject({ purl: 'pkg:deb/example/tool@1.0?file_name=tool_1.0_amd64.deb', sha256: sha256('the package tool') });
    expect(artifacts[1]?.evidence).toContainEqual({ check: 'openpgp-inrelease', state: 'checked', by: expect.stringMatching(/^[0-9A-F]{40}$/) });
  });

  it('fetches again only what moves', async () => {
    const archive = await tinyArchive();
    const { blobs } = memoryStore();
    const first = await mirror(archive, { blobs });
    archive.asked.length = 0;

    const second = await mirror(archive, { blobs });

    expect(second).toEqual(first);
    expect(archive.asked).toEqual([`${source.url}dists/clamp/InRelease`]);
  });

  it('refuses an archive that is signed by somebody else', async () => {
    await expect(mirror(await tinyArchive(), { keyrings: [(await tinyArchive()).keyring] })).rejects.toMatchObject({ code: 'unsigned' });
  });

  it('refuses another suite, however well signed', async () => {
    await expect(mirror(await tinyArchive({ codename: 'vise', extraFields: '' }))).rejects.toMatchObject({ code: 'wrong-archive' });
  });

  it('refuses an architecture that the archive lacks', async () => {
    await expect(mirror(await tinyArchive(), { architecture: 'riscv64' })).rejects.toMatchObject({ code: 'wrong-archive' });
  });

  it('refuses a signed index that has expired: an old one may be played back', async () => {
    await expect(mirror(await tinyArchive({ extraFields: 'Valid-Until: Mon, 01 Jan 2024 18:00:00 UTC\n' }))).rejects.toMatchObject({ code: 'expired' });
  });

  it.each([
    ['the index of packages', INDEX],
    ['a package', 'pool/main/t/tool'],
  ])('refuses other bytes for %s, and stores none of them', async (_, path) => {
    const archive = await tinyArchive();
    const url = [...archive.files.keys()].find((address) => address.includes(path)) ?? '';
    const genuine = archive.files.get(url) ?? new Uint8Array();
    const altered = genuine.with(3, (genuine[3] ?? 0) ^ 1);
    archive.files.set(url, altered);
    const { blobs } = memoryStore();

    await expect(mirror(archive, { blobs })).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await blobs.size(sha256(altered))).toBeUndefined();
  });

  it('says which file an archive lists and does not have', async () => {
    const archive = await tinyArchive();
    archive.files.delete(`${source.url}pool/main/t/tool/tool_1.0_amd64.deb`);

    await expect(mirror(archive)).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('tool_1.0_amd64.deb') });
  });
});
