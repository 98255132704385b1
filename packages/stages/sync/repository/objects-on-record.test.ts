import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@granary/contract/memory';
import type { StoredPack } from '@granary/contract/ports';
import { type ObjectId, parseObjectId } from '@granary/core/git';
import { sha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import { objectsOnRecord } from './objects-on-record.ts';

const MAX = { maxBytes: 2 ** 24 };

it.each(['sha1', 'sha256'] as const)('objects of format %s are found by the indexes that git wrote, and no others', async (format) => {
  const { blobs } = memoryStore();
  const [one, two] = [packed(format, 300), packed(format, 1)];
  const packs: StoredPack[] = [];
  for (const { index } of [one, two]) packs.push({ pack: sha256('pack'), index: (await blobs.put(index, MAX)).sha256 });
  const strangers = one.ids.slice(0, 50).map((id) => parseObjectId(`${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`, format) ?? never());

  const found = await objectsOnRecord({ blobs }, packs, [...one.ids, ...strangers, ...two.ids]);

  expect(found).toEqual(new Set([...one.ids, ...two.ids]));
});

it('what is no index, or is not there, has none', async () => {
  const { blobs } = memoryStore();
  const page = (await blobs.put(Buffer.from('<!doctype html>'), MAX)).sha256;
  const packs = [page, sha256('lost')].map((index) => ({ pack: sha256('pack'), index }));

  expect(await objectsOnRecord({ blobs }, packs, [parseObjectId('a'.repeat(40), 'sha1') ?? never()])).toEqual(new Set());
});

/** A pack of so many files, as git indexes it. */
function packed(format: 'sha1' | 'sha256', files: number): { readonly index: Uint8Array; readonly ids: readonly ObjectId[] } {
  const folder = mkdtempSync(join(tmpdir(), 'granary-index-'));
  try {
    const git = (input: string, ...args: readonly string[]) => execFileSync('git', ['-C', folder, ...args], { input }).toString();
    git('', 'init', '--quiet', '--bare', `--object-format=${format}`);
    const stream = Array.from({ length: files }, (_, at) => `blob\nmark :${at + 1}\ndata ${`${files} ${at}`.length}\n${files} ${at}\n`).join('');
    git(stream, '-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--export-marks=marks');
    const marks = readFileSync(join(folder, 'marks'), 'utf8').trim().split('\n');
    const name = readdirSync(join(folder, 'objects/pack')).find((file) => file.endsWith('.idx')) ?? never();
    return { index: readFileSync(join(folder, 'objects/pack', name)), ids: marks.map((line) => parseObjectId(line.split(' ')[1] ?? '', format) ?? never()) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function never(): never {
  throw new Error('the test is wrong');
}
