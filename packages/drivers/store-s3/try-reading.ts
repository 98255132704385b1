import type { Trial } from './prove-conditional-writes.ts';
import { retrying } from './retrying.ts';
import { S3Fault } from './s3-fault.ts';
import type { S3Finding, S3Findings } from './s3-findings.ts';

/** In the order of code points, which is not the order of folders: `a-b` comes before `a/…`. */
const NAMES = ['list/a-b', 'list/a.b', 'list/a/b', 'list/a0', 'list/b/c/d', 'list/z'];
const CONTENT = new TextEncoder().encode('0123456789');

/** Whether a listing sees what was written and removed a moment ago, in order. */
export async function tryListing(trial: Trial): Promise<Pick<S3Findings, 'listing'>> {
  const keys = NAMES.map((name) => trial.key(name));
  for (const key of keys) await put(trial, key);
  const afterWrite = await keysBelow(trial);
  const [removed = '', ...rest] = keys;
  await retrying(trial.patience, () => trial.bucket.remove(removed));
  const afterRemoval = await keysBelow(trial);
  return { listing: listingFinding({ keys, rest, afterWrite, afterRemoval }) };
}

interface Listings {
  readonly keys: readonly string[];
  readonly rest: readonly string[];
  readonly afterWrite: readonly string[];
  readonly afterRemoval: readonly string[];
}

function listingFinding({ keys, rest, afterWrite, afterRemoval }: Listings): S3Finding {
  const missing = keys.filter((key) => !afterWrite.includes(key));
  if (missing.length > 0) return { state: 'broken', detail: `listing: ${missing.length} of ${keys.length} objects just written were not listed` };
  if (String(afterWrite) !== String(keys)) return { state: 'broken', detail: 'listing: not in the order of code points' };
  if (String(afterRemoval) !== String(rest)) return { state: 'broken', detail: 'listing: an object just removed was still listed, or others were not' };
  return { state: 'holds', detail: `listing: ${keys.length} objects listed in order right after they were written, and one gone right after it was removed` };
}

/** Whether a reader whose connection broke can go on in the same version, and is refused another. */
export async function tryRanges(trial: Trial): Promise<Pick<S3Findings, 'ranges'>> {
  const key = trial.key('range');
  const etag = await put(trial, key);
  const middle = await retrying(trial.patience, async () => {
    const { body } = await trial.bucket.get(key, { start: 3, end: 7, etag });
    return Buffer.concat(await Array.fromAsync(body)).toString();
  });
  if (middle !== '3456') return { ranges: { state: 'broken', detail: 'ranges: other bytes than were asked for' } };
  if (await readsOther(trial, key))
    return { ranges: { state: 'broken', detail: 'ranges: If-Match is ignored: a reader would not hear that the object is another' } };
  return { ranges: { state: 'holds', detail: 'ranges: the bytes that were asked for, and only of the version that was asked for' } };
}

async function readsOther(trial: Trial, key: string): Promise<boolean> {
  try {
    const { body } = await retrying(trial.patience, () => trial.bucket.get(key, { start: 0, end: 1, etag: '"00000000000000000000000000000000"' }));
    await Array.fromAsync(body);
    return true;
  } catch (error) {
    if (error instanceof S3Fault && error.kind === 'precondition') return false;
    throw error;
  }
}

async function put({ bucket, patience, written }: Trial, key: string): Promise<string> {
  written.add(key);
  return retrying(patience, () => bucket.put(key, CONTENT));
}

async function keysBelow({ bucket, patience, key }: Trial): Promise<readonly string[]> {
  return (await retrying(patience, () => bucket.list(key('list/'), undefined))).keys;
}
