import { join } from 'node:path';
import { sha256 } from '@granary/core/model';
import { openRepositories } from '../index.ts';
import { folderBlobs } from './folder-blobs.ts';
import { idOf, rawPack } from './raw-pack.ts';

/** Takes packs without end and prints each that is acknowledged: for tests that kill it. */
const [data = '', round = ''] = process.argv.slice(2);
const blobs = await folderBlobs(join(data, 'store'));
const repositories = await openRepositories({ folder: join(data, 'git'), blobs, maxBytes: 1_000_000_000 });
const repository = await repositories.open('r', { objectFormat: 'sha1', packs: [] });

await Promise.all(
  [0, 1].map(async (taker) => {
    for (let n = 0; ; n += 1) {
      const bytes = Buffer.concat(Array.from({ length: 300 }, (_, part) => Buffer.from(sha256(`${round} ${taker} ${n} ${part}`), 'hex')));
      const id = idOf('blob', bytes);
      const { pack, index } = await repository.take(onePiece(rawPack([{ type: 'blob', bytes }])), [id], { maxBytes: 1_000_000, timeoutMs: 60_000 });
      process.stdout.write(`${id} ${pack} ${index}\n`);
    }
  }),
);

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
