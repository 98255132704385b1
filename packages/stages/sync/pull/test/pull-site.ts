import { EcosystemError, type PackageDocument, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { manualClock, memoryCatalog, memorySpool, memoryStore } from '@granary/contract/memory';
import { type FactSink, type Upstream, UpstreamError } from '@granary/contract/ports';
import { type Digests, encodeEntry, type Fact, formatPurl, type Purl, StoredBody, sha256, toInstant, toPurl } from '@granary/core/model';
import type { StorePorts } from '../../store-artifact.ts';
import { openArrivalNotes } from '../arrival-notes.ts';
import { openArrivals } from '../arrivals.ts';
import type { Looks } from '../open-looks.ts';
import { openPull, type PullOutcome, type PullSource } from '../open-pull.ts';
import { openPullBudget } from '../pull-budget.ts';

export const BOXES = toPurl('pkg:tiny/box');
export const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1', fileName: 'box-1' });
export const CONTENT = Buffer.alloc(1_000_000, 'granary ');
/** Held in memory, and in notes. */
export const SMALL = Buffer.alloc(1000, 'granary ');
/** When the package's document says that it was published. */
export const PUBLISHED = toInstant(Date.UTC(2023, 0, 1));

export interface PullSiteOptions {
  readonly check?: 'refuses' | 'brings-more' | 'asks-upstream';
  readonly content?: Uint8Array;
  /** In the index that is on record. */
  readonly isListed?: boolean;
  readonly sequenced?: Promise<void>;
  readonly maxBytesPerDay?: number;
  readonly maxArtifactBytes?: number;
  readonly isSizeStated?: boolean;
  /** What upstream says of the file. */
  readonly digests?: Digests;
  /** Of a process before. */
  readonly store?: ReturnType<typeof memoryStore>;
}

/** A site and an upstream with one file, whose answer is set by hand. */
export function openPullSite(options: PullSiteOptions = {}) {
  const { content = CONTENT, maxBytesPerDay = 1e9, maxArtifactBytes = 1e9, sequenced = Promise.resolve(), store = memoryStore() } = options;
  const [clock, catalog] = [manualClock(), memoryCatalog()];
  const outcomes: PullOutcome[] = [];
  const hand: Hand = { answer: [], requests: 0, spools: 0, refusesFacts: false, isHushed: false, sight: STALE, takeIn: async () => undefined };
  const artifact = artifactOf(content, options);
  const sync = syncOf(hand, { artifact, catalog, clock, blobs: store.blobs, options });
  const arrivals = openArrivals({
    sync,
    looks: { sight: () => hand.sight() },
    notes: openArrivalNotes(store, 'tiny'),
    later(work) {
      hand.takeIn = work;
      return async () => undefined;
    },
    settleLater: async () => sequenced,
    onFailed: (purl, error) => void outcomes.push({ purl, error }),
  });
  const pull = openPull({
    ...{ sync, arrivals, clock, maxArtifactBytes, budget: openPullBudget(clock, maxBytesPerDay) },
    settle: async () => sequenced,
    settleLater: async () => sequenced,
    openSpool: async () => {
      hand.spools += 1;
      return memorySpool();
    },
    onPulled: (outcome) => void outcomes.push(outcome),
  });
  return {
    ...{ store, blobs: store.blobs, clock, artifact, content, arrivals },
    ...controlsOf(hand, artifact),
    /** Nobody asked for anything for a while; resolves when each was tried once. */
    async takeIn() {
      await hand.takeIn();
      for (let turn = 0; turn < 10; turn += 1) await clock.advance(0);
    },
    ...{ fetch: (source?: PullSource) => pull.fetch(artifact, source), shown: (packagePurl: Purl) => pull.shown(packagePurl) },
    /** By what upstream says of its release alone. */
    fetchStated: () => pull.fetch(artifact, { stated: { artifact, statement: STATEMENT } }),
    fetchOther: () => pull.fetch({ ...artifact, digests: { sha256: sha256('other bytes') } }),
    /** Other bytes come on record under its name. */
    async keepOther(other = sha256('other bytes')) {
      const body = { sha256: other, sizeBytes: 11, path: artifact.path, evidence: [] };
      await sync.sink.submit([{ kind: 'stored', subject: artifact.purl, inputs: [other], body }]);
    },
    ...recordOf(catalog),
    notes: async (): Promise<number> => (await Array.fromAsync(openArrivalNotes(store, 'tiny').left(undefined), ({ notes }) => notes)).flat().length,
    failures: () => outcomes.filter((outcome) => 'error' in outcome).length,
    end: async () => void (await Promise.all([arrivals[Symbol.asyncDispose](), pull[Symbol.asyncDispose]()])),
  };
}

function recordOf(catalog: ReturnType<typeof memoryCatalog>) {
  return {
    stored: (): readonly Purl[] => [...catalog.all('stored')].map(({ entry }) => toPurl(entry.subject)),
    publishedAt: (): readonly (string | undefined)[] => [...catalog.all('stored')].map(({ entry }) => StoredBody.parse(entry.body).publishedAt),
  };
}

/** What a test sets by hand, and what came of it. */
interface Hand {
  answer: readonly (Uint8Array | Promise<void> | 'for ever')[];
  requests: number;
  spools: number;
  refusesFacts: boolean;
  isHushed: boolean;
  sight: () => ReturnType<Looks['sight']>;
  takeIn: () => Promise<void>;
}
const STALE: Hand['sight'] = async () => ({ type: 'stale' });

function controlsOf(hand: Hand, artifact: UpstreamArtifact) {
  return {
    send: (...next: Hand['answer']) => {
      hand.answer = next;
    },
    /** What the document of its package says of it, once it is looked at. */
    list(more: Partial<UpstreamArtifact> = { publishedAt: PUBLISHED }) {
      const document: PackageDocument = { package: BOXES, artifacts: [{ ...artifact, ...more }], refused: [] };
      hand.isHushed = false;
      hand.sight = async () => ({ type: 'sighted', sighted: { document, recorded: Promise.resolve() } });
    },
    /** The document of its package doesn't have it. */
    listNothing() {
      const document: PackageDocument = { package: BOXES, artifacts: [], refused: [] };
      hand.sight = async () => ({ type: 'sighted', sighted: { document, recorded: Promise.resolve() } });
    },
    /** Nothing can be heard of upstream. */
    hush() {
      hand.sight = STALE;
      hand.isHushed = true;
      hand.answer = [];
    },
    /** It answers no sooner. */
    hold(until: Promise<void>) {
      const { sight } = hand;
      hand.sight = async () => {
        await until;
        return await sight();
      };
    },
    refuseFacts(refuses: boolean) {
      hand.refusesFacts = refuses;
    },
    requests: () => hand.requests,
    spools: () => hand.spools,
  };
}

function artifactOf(content: Uint8Array, { digests = { sha256: sha256(content) }, isSizeStated = true }: PullSiteOptions): UpstreamArtifact {
  return {
    ...{ purl: BOX, fileName: 'box-1', path: 'files/box-1', url: 'http://upstream.example/box-1', digests },
    ...{ yanked: false, evidence: [], companions: [] },
    ...(isSizeStated ? { sizeBytes: content.length } : {}),
  };
}

interface Surroundings extends Pick<StorePorts, 'blobs' | 'clock'> {
  readonly artifact: UpstreamArtifact;
  readonly catalog: ReturnType<typeof memoryCatalog>;
  readonly options: PullSiteOptions;
}

function syncOf(hand: Hand, { artifact, catalog, clock, blobs, options }: Surroundings): StorePorts {
  const upstream: Upstream = {
    async open({ url, signal }) {
      hand.requests += 1;
      if (hand.answer.length === 0) throw new UpstreamError('unreachable', url, 'no answer');
      return { status: 'ok', url, contentType: '', at: clock.now(), body: parts(hand.answer, signal) };
    },
  };
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', clock.now()) }]);
  const sink: FactSink = {
    async submit(facts) {
      if (hand.refusesFacts) throw new Error('disk full');
      for (const given of facts) record('leaf' in given ? given.fact : given);
    },
  };
  return {
    ...{ upstreamBase: '', settings: {}, upstream, addressOf: async ({ url }: UpstreamArtifact) => url, blobs, catalog, sink, clock },
    ...{ ecosystem: ecosystemOf(hand, artifact, options), documents: { current: async () => undefined, of: async () => NO_DOCUMENT } },
  };
}

function ecosystemOf(hand: Hand, artifact: UpstreamArtifact, { check, isListed = true }: PullSiteOptions): StorePorts['ecosystem'] {
  return {
    index: {
      accept: '',
      maxDocumentBytes: 1,
      documentUrl: () => '',
      parse: () => NO_DOCUMENT,
      unlisted: () => (isListed ? [artifact] : []),
      release: { accept: '', maxBytes: 100, url: () => '', parse: (bytes) => (Buffer.from(bytes).toString() === STATEMENT.text ? artifact : undefined) },
    },
    declared: async () => ({}),
    async check({ fetch }) {
      if (check === 'asks-upstream' && hand.isHushed) await fetch('http://upstream.example/keys', 100);
      if (check === 'refuses') throw new EcosystemError('mismatch', 'not signed');
      const beside = { purl: formatPurl({ type: 'tiny', name: 'proofs', version: '1', fileName: 'proof' }), path: 'proof', bytes: Buffer.from('proof') };
      return { evidence: [], ...(check === 'brings-more' ? { beside: [beside] } : {}) };
    },
  };
}

const NO_DOCUMENT: PackageDocument = { package: BOX, artifacts: [], refused: [] };
/** What upstream says of the release. */
export const STATEMENT = { url: 'http://upstream.example/box/1', text: '{"box":1}' };

async function* parts(answer: Hand['answer'], signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  for (const part of answer) {
    signal?.throwIfAborted();
    if (part === 'for ever') await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    else if (part instanceof Promise) await part;
    else yield part;
  }
}
