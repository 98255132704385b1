import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decodeLeaf, type Entry, factKey, type Sha256 } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import {
  catchUp,
  checkLedger,
  type LedgerReader,
  type LedgerSource,
  openLedgerReader,
  refuseFork,
  type SignedCheckpoint,
  settledProjection,
  storeSource,
} from '@granary/stage-ledger';
import { pendingKeys } from './pending-facts.ts';
import { filesBelow, type SiteFolder } from './site-folder.ts';

type Side = 'public' | 'private';
const SIDES: readonly Side[] = ['public', 'private'];

/** Looks at a site after each death, with the eyes of a reader who knows nothing of the writer: from the files alone. */
export interface Onlooker {
  /** Resolves to what is wrong. */
  look(): Promise<readonly string[]>;
  /** Keys of the facts that were seen pending: acknowledged, so that they must come to the ledger. */
  readonly acknowledged: ReadonlySet<string>;
}

export async function openOnlooker(site: SiteFolder): Promise<Onlooker> {
  const readers = await readersOf(site);
  const seen = new Map<Side, SignedCheckpoint>();
  const whole = new Set<string>();
  const acknowledged = new Set<string>();
  return {
    acknowledged,
    async look() {
      const problems: string[] = [];
      for (const side of SIDES) {
        problems.push(...(await tornBlobs(join(site.data, side), whole)));
        const newest = await lookAtLedger(readers[side], seen.get(side)).catch((error: unknown) => void problems.push(`${side} ledger: ${String(error)}`));
        if (newest !== undefined) seen.set(side, newest);
        for (const key of await pendingKeys(join(site.data, side, 'pending'))) acknowledged.add(key);
      }
      return problems;
    },
  };
}

/** Every leaf up to the published size is there and signed for, and continues what was published before. */
async function lookAtLedger(reader: LedgerReader, before: SignedCheckpoint | undefined): Promise<SignedCheckpoint | undefined> {
  const checkpoint = await reader.checkpoint();
  if (checkpoint === undefined) return undefined;
  if (before !== undefined) await refuseFork(reader, before, checkpoint);
  for await (const _leaf of reader.leaves(checkpoint, before?.size ?? 0, checkpoint.size));
  return checkpoint;
}

/** What lies under a digest has that digest, at any time. */
async function tornBlobs(root: string, whole: Set<string>): Promise<readonly string[]> {
  const torn: string[] = [];
  const folder = join(root, 'blobs');
  for (const file of await filesBelow(folder)) {
    const path = join(folder, file);
    if (whole.has(path)) continue;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    if (hash.digest('hex') === basename(path)) whole.add(path);
    else torn.push(`blob ${file} holds other bytes`);
  }
  return torn;
}

/** What a site came to. */
export interface Settled {
  readonly digest: Sha256;
  readonly lines: readonly string[];
  readonly kinds: Readonly<Record<string, number>>;
  readonly keys: ReadonlySet<string>;
}

export async function readSettled(site: SiteFolder): Promise<Settled> {
  const entries: Entry[] = [];
  const readers = await readersOf(site);
  for (const side of SIDES) {
    const checkpoint = await readers[side].checkpoint();
    if (checkpoint === undefined) throw new Error(`${site.data}: the ${side} ledger was never published`);
    for await (const { bytes } of readers[side].leaves(checkpoint, 0, checkpoint.size)) {
      const leaf = decodeLeaf(bytes);
      if (leaf.type === 'entry') entries.push(leaf.entry);
    }
  }
  const kinds: Record<string, number> = {};
  for (const { kind } of entries) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return { ...settledProjection(entries), kinds, keys: new Set(entries.map((entry) => factKey(entry))) };
}

/** What one lacks or has beside the other, line by line. */
export function differences(settled: Settled, wanted: Settled): readonly string[] {
  if (settled.digest === wanted.digest) return [];
  const [has, wants] = [new Set(settled.lines), new Set(wanted.lines)];
  return [
    ...wanted.lines.filter((line) => !has.has(line)).map((line) => `lacks ${line}`),
    ...settled.lines.filter((line) => !wants.has(line)).map((line) => `has ${line}`),
  ];
}

/** Both ledgers again from the bytes, every blob by digest; the kept catalog against one that is folded now. Resolves to what is wrong. */
export async function checkSite(site: SiteFolder): Promise<readonly string[]> {
  await using stack = new AsyncDisposableStack();
  const stores = { public: stack.use(await openFsStore(join(site.data, 'public'))), private: stack.use(await openFsStore(join(site.data, 'private'))) };
  const { ledgers } = await openSiteKeys(join(site.data, 'keys'));
  const kept = stack.use(openSqliteCatalog(join(site.data, 'derived/catalog.sqlite'), { mode: 'read' }));
  const afresh = stack.use(openSqliteCatalog(':memory:', { mode: 'fold' }));
  const problems: string[] = [];
  for (const side of SIDES) {
    const { verifierKey } = ledgers[side];
    const { objects } = stores[side];
    const origin = originOf(verifierKey);
    const source = storeSource(objects, origin);
    const blobs = [stores[side].blobs, stores.public.blobs];
    const report = await checkLedger({ source, origin, verifierKey, objects, blobs, blobCheck: 'digest' });
    problems.push(...report.problems.map(({ message }) => `${side} ledger: ${message}`));
    const reader = openLedgerReader({ source, origin, verifierKey });
    const checkpoint = await reader.checkpoint();
    if (checkpoint !== undefined) await catchUp(reader, afresh, checkpoint);
  }
  if (dumpOf(kept) !== dumpOf(afresh)) problems.push('the kept catalog is not what folding both ledgers gives');
  return problems;
}

function dumpOf(catalog: { dump(): Iterable<string> }): string {
  const hash = createHash('sha256');
  for (const line of catalog.dump()) hash.update(`${line}\n`);
  return hash.digest('hex');
}

async function readersOf(site: SiteFolder): Promise<Readonly<Record<Side, LedgerReader>>> {
  const { ledgers } = await openSiteKeys(join(site.data, 'keys'));
  const readerOf = (side: Side) => {
    const { verifierKey } = ledgers[side];
    const origin = originOf(verifierKey);
    return openLedgerReader({ source: folderSource(join(site.data, side, 'ledgers', origin)), origin, verifierKey });
  };
  return { public: readerOf('public'), private: readerOf('private') };
}

/** Opening a store tidies it; this only reads. */
function folderSource(folder: string): LedgerSource {
  return async (path, maxBytes) => {
    const bytes = await readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined && bytes.length > maxBytes) throw new RangeError(`${path}: ${bytes.length} bytes`);
    return bytes;
  };
}

function originOf(verifierKey: string): string {
  return verifierKey.split('+', 1)[0] ?? '';
}
