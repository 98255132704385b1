import type { PackageDocument } from '@granary/contract/ecosystem';
import { type CatalogFact, StoreError, type UpstreamResponse } from '@granary/contract/ports';
import { digestsAgree, ObservedBody, type Purl, type Sha256, type StateFact, StoredBody, toPurl, VanishedBody } from '@granary/core/model';
import type { SyncPorts } from './sync-ports.ts';

/** What a look at upstream's index of one package brought. */
export type Observation =
  | { readonly type: 'unchanged' }
  | { readonly type: 'changed'; readonly document: PackageDocument; readonly sizeBytes: number; readonly facts: number; readonly replaced?: readonly string[] }
  /** Upstream has no such package, now or any more. */
  | { readonly type: 'absent'; readonly facts: number };

/** Why one looks. */
export interface LookOptions {
  readonly signal?: AbortSignal | undefined;
  /** For a client of a view that fetches: what nobody else ever asked for is marked so. */
  readonly pulled?: boolean;
  /** Told what upstream sent as soon as it is read, before any of it is on record. */
  readonly onRead?: (document: PackageDocument) => void;
}
export interface ObservePorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'blobs' | 'catalog' | 'sink'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index'>;
}

type OkResponse = Extract<UpstreamResponse, { status: 'ok' }>;

/**
 * Looks once at upstream's index of a package and records what is new: the document as it was seen, and every stored file that
 * it no longer lists, lists with other bytes, or lists again. Bytes are kept in each case. Not to be called for one package
 * while an earlier call's facts aren't sequenced: state facts name the one before them.
 */
export async function observePackage(ports: ObservePorts, packagePurl: Purl, options: LookOptions = {}): Promise<Observation> {
  const { signal, pulled = false, onRead } = options;
  const { ecosystem, upstream, catalog } = ports;
  const previous = catalog.current('observed', packagePurl);
  const before = previous === undefined ? undefined : ObservedBody.parse(previous.entry.body);
  const response = await upstream.open({
    url: ecosystem.index.documentUrl(ports.upstreamBase, packagePurl),
    accept: ecosystem.index.accept,
    maxBytes: ecosystem.index.maxDocumentBytes,
    // What was only pulled so far is taken again whole: that it is wanted now is a new fact.
    ...(before?.run?.etag === undefined || (before.pulled === true && !pulled) ? {} : { etag: before.run.etag }),
    ...(signal === undefined ? {} : { signal }),
  });
  switch (response.status) {
    case 'not-modified':
      return { type: 'unchanged' };
    case 'not-found':
      return { type: 'absent', facts: previous === undefined ? 0 : await recordAbsence(ports, packagePurl, previous) };
    case 'ok':
      return await recordDocument(ports, packagePurl, { previous, before, response, pulled, onRead });
  }
}

interface Seen {
  readonly previous: CatalogFact | undefined;
  readonly before: ObservedBody | undefined;
  readonly response: OkResponse;
  readonly pulled: boolean;
  readonly onRead: LookOptions['onRead'];
}

async function recordDocument(ports: ObservePorts, packagePurl: Purl, seen: Seen): Promise<Observation> {
  const { ecosystem, blobs, sink } = ports;
  const { previous, before, response } = seen;
  const pulled = seen.pulled && (before === undefined || before.pulled === true);
  const bytes = await collect(response.body);
  // Parsed before it is stored: what can't be read never becomes the current state.
  const document = ecosystem.index.parse(bytes, { url: response.url, contentType: response.contentType, package: packagePurl });
  seen.onRead?.(document);
  const stored = await blobs.put(bytes, { maxBytes: bytes.length });
  if (stored.sha256 === before?.document && pulled === (before.pulled ?? false)) return { type: 'unchanged' };
  const observed: StateFact = {
    kind: 'observed',
    subject: packagePurl,
    body: {
      document: stored.sha256,
      sizeBytes: stored.sizeBytes,
      mediaType: response.contentType,
      url: response.url,
      ...(pulled ? { pulled } : {}),
      ...(response.etag === undefined ? {} : { run: { etag: response.etag } }),
    },
    ...(previous === undefined ? {} : { prev: previous.key }),
  };
  const vanished = vanishedFacts(ports, document, { digest: stored.sha256, before: await listedBefore(ports, previous) });
  const facts = [observed, ...vanished];
  await sink.submit(facts);
  return { type: 'changed', document, sizeBytes: stored.sizeBytes, facts: facts.length, replaced: replacedIn(vanished) };
}

async function recordAbsence(ports: ObservePorts, packagePurl: Purl, previous: CatalogFact): Promise<number> {
  const facts = vanishedFacts(ports, { package: packagePurl, artifacts: [], refused: [] }, { before: await listedBefore(ports, previous) });
  if (facts.length > 0) await ports.sink.submit(facts);
  return facts.length;
}

/** Where files can be there without being listed: those that were. Undefined where all are listed. */
async function listedBefore({ ecosystem, blobs }: ObservePorts, previous: CatalogFact | undefined): Promise<ReadonlySet<string> | undefined> {
  if (ecosystem.index.unlisted === undefined) return undefined;
  if (previous === undefined) return new Set();
  const { document, sizeBytes, url, mediaType } = ObservedBody.parse(previous.entry.body);
  const bytes = await blobs.read(document, sizeBytes);
  if (bytes === undefined) throw new StoreError('unreachable', `read index document ${document} of ${previous.entry.subject}: not in the store`);
  const { artifacts } = ecosystem.index.parse(bytes, { url, contentType: mediaType, package: toPurl(previous.entry.subject) });
  return new Set(artifacts.map(({ purl }) => purl));
}

interface Standing {
  readonly digest?: Sha256;
  readonly before: ReadonlySet<string> | undefined;
}

/** One fact per stored file whose standing upstream changed against what was last recorded of it. */
function vanishedFacts({ catalog }: ObservePorts, document: PackageDocument, { digest, before }: Standing): readonly StateFact[] {
  const stored = catalog.ofPackage('stored', document.package);
  // Most often nothing is: then nobody asks what it lists.
  if (stored.length === 0) return [];
  const listed = new Map(document.artifacts.map((artifact) => [artifact.purl as string, artifact]));
  const facts: StateFact[] = [];
  const seen = new Set<string>();
  for (const { entry } of stored) {
    if (seen.has(entry.subject)) continue;
    seen.add(entry.subject);
    const known = catalog.current('vanished', entry.subject);
    const was = known === undefined ? 'back' : VanishedBody.parse(known.entry.body).state;
    const now = listed.get(entry.subject);
    // That something isn't listed which never was says nothing.
    if (now === undefined && before?.has(entry.subject) === false) continue;
    const { sha256, digests } = StoredBody.parse(entry.body);
    const state = now === undefined ? 'gone' : stateOfListed(digestsAgree(now.digests, { ...digests, sha256 }), was);
    if (state === was) continue;
    facts.push({
      kind: 'vanished',
      subject: entry.subject,
      body: {
        state,
        ...(digest === undefined ? {} : { document: digest }),
        ...(state === 'replaced' && now !== undefined ? { replacement: { ...now.digests } } : {}),
      },
      ...(known === undefined ? {} : { prev: known.key }),
    });
  }
  return facts;
}

/** An index that says nothing of the bytes takes nothing back that the bytes said. */
function stateOfListed(agree: boolean | undefined, was: VanishedBody['state']): VanishedBody['state'] {
  return agree === false || (agree === undefined && was === 'replaced') ? 'replaced' : 'back';
}

/** The artifacts of which these facts say that upstream has other bytes by now. */
export function replacedIn(facts: readonly StateFact[]): readonly string[] {
  return facts.filter(({ body }) => body['state'] === 'replaced').map(({ subject }) => subject);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const [whole] = chunks;
  return whole !== undefined && chunks.length === 1 ? whole : Buffer.concat(chunks);
}
