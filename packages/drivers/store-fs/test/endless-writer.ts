import { openFsStore } from '../index.ts';

/** Stores blobs without end and prints the digest of each one that is durable: for tests that kill it. */
const folder = process.argv[2] ?? '';
const { blobs } = await openFsStore(folder);

async function* slices(seed: string): AsyncIterable<Uint8Array> {
  for (let part = 0; part < 20; part += 1) yield new TextEncoder().encode(`${seed} ${part} `.repeat(2000));
}

await Promise.all(
  Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; ; n += 1) {
      const { sha256 } = await blobs.put(slices(`${process.pid} ${writer} ${n}`), { maxBytes: 10_000_000 });
      process.stdout.write(`${sha256}\n`);
    }
  }),
);
