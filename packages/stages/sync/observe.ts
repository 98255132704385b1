import type { PackageDocument } from '@granary/contract/ecosystem';
import type { CatalogFact, UpstreamResponse } from '@granary/contract/ports';
import {
  digestsAgree,
  ObservedBody,
  type Purl,
  packageOf,
  purlParts,
  type Sha256,
  type StateFact,
  StoredBody,
  toPurl,
  VanishedBody,
} from '@granary/core/model';
import type { SyncPorts } from './sync-ports.ts';

/** What a look at upstream's index of one package brought. */
export type Observation =
  | { readonly type: 'unchanged' }
  | { readonly type: 'changed'; readonly document: PackageDocument; readonly facts: number }
  /** Upstream has no such package, now or any more. */
  | { readonly type: 'absent'; readonly facts: number };

export interface ObservePorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'blobs' | 'catalog' | 'sink'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index'>;
}

type OkResponse = Extract<UpstreamResponse, { status: 'ok' }>;

/**
 * Looks once at upstream's index of a package and records what is new: the document as it was seen, and every stored file that
 * it no longer lists, lists with other bytes, or lists again. Bytes are kept in each case. Not to be called for one package
 * while an earlier call's facts aren't sequenced: state facts name the one before them.
 */
export async function observePackage(ports: ObservePorts, packagePurl: Purl, signal?: AbortSignal): Promise<Observation> {
  const { ecosystem, upstream, catalog } = ports;
  const previous = catalog.current('observed', packagePurl);
  const before = previous === undefined ? undefined : ObservedBody.parse(previous.entry.body);
  const response = await upstream.open({
    url: ecosystem.index.documentUrl(ports.upstreamBase, packagePurl),
    accept: ecosystem.index.accept,
    maxBytes: ecosystem.index.maxDocumentBytes,
    ...(before?.run?.etag === undefined ? {} : { etag: before.run.etag }),
    ...(signal === undefined ? {} : { signal }),
  });
  switch (response.status) {
    case 'not-modified':
      return { type: 'unchanged' };
    case 'not-found':
      return { type: 'absent', facts: previous === undefined ? 0 : await recordAbsence(ports, packagePurl) };
    case 'ok':
      return await recordDocument(ports, packagePurl, { previous, before, response });
  }
}

async function recordDocument(
  ports: ObservePorts,
  packagePurl: Purl,
  seen: { readonly previous: CatalogFact | undefined; readonly before: ObservedBody | undefined; readonly response: OkResponse },
): Promise<Observation> {
  const { ecosystem, blobs, sink } = ports;
  const { previous, before, response } = seen;
  const bytes = await collect(response.body);
  // Parsed before it is stored: what can't be read never becomes the current state.
  const document = ecosystem.index.parse(bytes, { url: response.url, contentType: response.contentType, package: packagePurl });
  const stored = await blobs.put(bytes, { maxBytes: bytes.length });
  if (stored.sha256 === before?.document) return { type: 'unchanged' };
  const observed: StateFact = {
    kind: 'observed',
    subject: packagePurl,
    body: {
      document: stored.sha256,
      sizeBytes: stored.sizeBytes,
      mediaType: response.contentType,
      url: response.url,
      ...(response.etag === undefined ? {} : { run: { etag: response.etag } }),
    },
    ...(previous === undefined ? {} : { prev: previous.key }),
  };
  const facts = [observed, ...vanishedFacts(ports, packagePurl, document, stored.sha256)];
  await sink.submit(facts);
  return { type: 'changed', document, facts: facts.length };
}

async function recordAbsence(ports: ObservePorts, packagePurl: Purl): Promise<number> {
  const facts = vanishedFacts(ports, packagePurl, { package: packagePurl, artifacts: [], refused: [] }, undefined);
  if (facts.length > 0) await ports.sink.submit(facts);
  return facts.length;
}

/** One fact per stored file whose standing upstream changed against what was last recorded of it. */
function vanishedFacts(ports: ObservePorts, packagePurl: Purl, document: PackageDocument, documentDigest: Sha256 | undefined): readonly StateFact[] {
  const listed = new Map(document.artifacts.map((artifact) => [artifact.purl as string, artifact]));
  const facts: StateFact[] = [];
  const seen = new Set<string>();
  for (const { entry } of ports.catalog.ofPackage('stored', packagePurl)) {
    if (seen.has(entry.subject)) continue;
    seen.add(entry.subject);
    const known = ports.catalog.current('vanished', entry.subject);
    const was = known === undefined ? 'back' : VanishedBody.parse(known.entry.body).state;
    const now = listed.get(entry.subject);
    if (now === undefined && isUnlisted(ports, entry.subject)) continue;
    const { sha256, digests } = StoredBody.parse(entry.body);
    const state = now === undefined ? 'gone' : digestsAgree(now.digests, { ...digests, sha256 }) === false ? 'replaced' : 'back';
    if (state === was) continue;
    facts.push({
      kind: 'vanished',
      subject: entry.subject,
      body: {
        state,
        ...(documentDigest === undefined ? {} : { document: documentDigest }),
        ...(state === 'replaced' && now !== undefined ? { replacement: { ...now.digests } } : {}),
      },
      ...(known === undefined ? {} : { prev: known.key }),
    });
  }
  return facts;
}

/** Upstream has it without ever having listed it: that it isn't listed says nothing. */
function isUnlisted({ ecosystem, upstreamBase }: ObservePorts, subject: string): boolean {
  const purl = toPurl(subject);
  const { version } = purlParts(purl);
  return version === undefined || ecosystem.index.unlisted?.(upstreamBase, packageOf(purl), version) !== undefined;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
