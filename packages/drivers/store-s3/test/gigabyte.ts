import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openS3Store } from '../index.ts';

// `gigabyte.ts <store options as JSON> <bytes>`: puts so many bytes, reads them back, and says as JSON what that took of memory and time.
const [options = '{}', size = '0'] = process.argv.slice(2);
/** As they come from a network. */
const CHUNK = 65_536;
/** Two parts. */
const SMALL = 16 * 2 ** 20;

/** Kernel's own count of the largest resident set, in bytes: what happened between two looks is in it. proc(5) */
async function peakRss(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Bytes that no two chunks share, made without keeping them. */
async function* bytes(sizeBytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += CHUNK) {
    const chunk = Buffer.alloc(Math.min(CHUNK, sizeBytes - at), at % 251);
    chunk.writeUInt32LE(at / CHUNK);
    yield chunk;
  }
}

await using store = await openS3Store(JSON.parse(options));

async function inAndOut(sizeBytes: number) {
  const startedAt = performance.now();
  const stored = await store.blobs.put(bytes(sizeBytes), { maxBytes: sizeBytes });
  const putAt = performance.now();
  const hash = createHash('sha256');
  for await (const chunk of (await store.blobs.open(stored.sha256))?.stream ?? []) hash.update(chunk);
  const isSame = stored.sizeBytes === sizeBytes && hash.digest('hex') === stored.sha256;
  return { isSame, putSeconds: (putAt - startedAt) / 1000, readSeconds: (performance.now() - putAt) / 1000 };
}

const opened = await peakRss();
await inAndOut(SMALL);
const small = await peakRss();
const large = await inAndOut(Number(size));
const whole = await peakRss();
process.stdout.write(JSON.stringify({ ...large, grownSinceOpened: whole - opened, grownSinceSmall: whole - small }));
