import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { Clock, HttpRequest, HttpResponse, Store } from '@granary/contract/ports';
import { encodeEntry, type Fact, type Sha256, SOURCE_TIERS, type StateFact, sha256, toInstant } from '@granary/core/model';
import { openServe, type Policy, type Serve, type ServePorts } from '../index.ts';
import { fileOf, instant, tiny } from './tiny-ecosystem.ts';

const ORIGIN = 'ledger.example';
export const DEFAULT_POLICY: Policy = {
  mode: 'enforce',
  verdicts: ['reproduced', 'reproduced-normalized'],
  tiers: SOURCE_TIERS,
  findings: [],
  waivers: [],
};

/** A site whose clock, ledger and upstream documents a test writes by hand. */
export interface TestSite {
  readonly store: Store;
  readonly serve: Serve;
  /** Sets the clock, which stamps the facts that follow. */
  at(time: string): void;
  /** What upstream's index lists from now on. */
  observe(files: readonly ListedFile[]): Promise<void>;
  /** Stores a file; its bytes are its name unless given. */
  keep(fileName: string, options?: KeepOptions): Promise<Sha256>;
  record(fact: Fact): void;
  state(kind: StateFact['kind'], subject: string, body: StateFact['body']): void;
  readonly size: () => number;
  get(target: string, headers?: HttpRequest['headers']): Promise<Answer>;
  head(target: string): Promise<Answer>;
}
interface KeepOptions {
  readonly bytes?: Uint8Array;
  readonly publishedAt?: string;
  readonly metadata?: string;
}
interface ListedFile {
  readonly fileName: string;
  readonly sha256?: Sha256;
  readonly publishedAt?: string;
  readonly yanked?: boolean;
}
export interface Answer {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export function openTestSite(
  more: Partial<ServePorts['site']> & Pick<Partial<ServePorts>, 'bundlesOf' | 'gauges' | 'notReady' | 'redirects' | 'pull' | 'readers' | 'repositories'> = {},
): TestSite {
  const { bundlesOf = async () => [], gauges = [], notReady = () => [], redirects, pull, readers, repositories, ...site } = more;
  const store = memoryStore();
  const catalog = memoryCatalog();
  let now = toInstant(Date.UTC(2026, 0, 1));
  const clock: Clock = { now: () => now, sleep: async () => undefined };
  const serve = openServe({
    ...store,
    catalog,
    clock,
    ecosystems: [tiny],
    site: { publicUrl: 'http://mirror.example', origin: ORIGIN, defaultView: 'all', policy: DEFAULT_POLICY, ...site },
    ledgerSize: () => catalog.size(ORIGIN),
    bundlesOf,
    keys: async () => ({ publicKey: 'key', trustedRoot: {}, endorsements: [] }),
    notReady,
    gauges,
    ...{ redirects, pull, readers, repositories },
  });
  const record = (fact: Fact) => catalog.fold(ORIGIN, [{ index: catalog.size(ORIGIN), bytes: encodeEntry(fact, 'author', now) }]);
  const state: TestSite['state'] = (kind, subject, body) => {
    const before = catalog.current(kind, subject);
    record({ kind, subject, body, ...(before === undefined ? {} : { prev: before.key }) });
  };
  // Requests come over the network: each in a turn of its own.
  const ask = async (method: 'GET' | 'HEAD', target: string, headers: HttpRequest['headers'] = {}) => {
    await new Promise(setImmediate);
    return await readAnswer(method, await serve.handle({ method, target, headers }));
  };
  return {
    store,
    serve,
    record,
    state,
    size: () => catalog.size(ORIGIN),
    at(time) {
      now = instant(time);
    },
    async observe(files) {
      const bytes = new TextEncoder().encode(JSON.stringify(files.map((file) => ({ ...file, sha256: file.sha256 ?? sha256(file.fileName) }))));
      const { sha256: document, sizeBytes } = await store.blobs.put(bytes, { maxBytes: bytes.length });
      state('observed', 'pkg:tiny/box', { document, sizeBytes, mediaType: 'application/json', url: 'https://registry.example/box' });
    },
    keep: (fileName, options) => keepFile(store, record, { fileName, ...options }),
    get: (target, headers) => ask('GET', target, headers),
    head: (target) => ask('HEAD', target),
  };
}

/** Names of the files an index lists; those that are marked as removed upstream end in `!`. */
export function listed({ status, text }: Answer): readonly string[] {
  if (status !== 200) throw new Error(text);
  return text.trim() === '' ? [] : text.trim().split('\n');
}

export function verdictFact(fileName: string, digest: Sha256, body: Readonly<Record<string, string | string[]>>): Fact {
  return { kind: 'verdict', subject: fileOf(fileName), inputs: [digest, String(body['verdict'] ?? '')], body: { sha256: digest, ...body } };
}

async function readAnswer(method: string, { status, reason, headers, body }: HttpResponse): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  if (method === 'GET' && body instanceof Uint8Array) chunks.push(body);
  else if (method === 'GET' && body !== undefined && !(body instanceof Uint8Array)) for await (const chunk of await body.open()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const pairs = Array.from({ length: headers.length / 2 }, (_, index): [string, string] => [headers[2 * index] ?? '', headers[2 * index + 1] ?? '']);
  return { status, reason, headers: Object.fromEntries(pairs), bytes, text: bytes.toString() };
}

async function keepFile(
  store: Store,
  record: TestSite['record'],
  { fileName, bytes = Buffer.from(fileName), publishedAt, metadata }: KeepOptions & { readonly fileName: string },
): Promise<Sha256> {
  const blob = await store.blobs.put(bytes, { maxBytes: bytes.length });
  const metadataBlob = metadata === undefined ? undefined : await store.blobs.put(Buffer.from(metadata), { maxBytes: 10_000 });
  const body = {
    ...{
      sha256: blob.sha256,
      sizeBytes: blob.sizeBytes,
      path: `files/${blob.sha256}/${fileName}`,
      evidence: [{ check: 'index-sha256', state: 'checked' }],
    },
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(metadataBlob === undefined ? {} : { metadata: metadataBlob.sha256 }),
  };
  record({ kind: 'stored', subject: fileOf(fileName), inputs: [blob.sha256], body });
  return blob.sha256;
}
