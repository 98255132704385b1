import type { BlobStore, Catalog, FactSink } from '@granary/contract/ports';
import { factBody, type StateFact, WatchedBody } from '@granary/core/model';
import picomatch from 'picomatch';

/** One line of the configuration's `watch:`, or what a command names. */
export interface WatchedItem {
  /** A purl, a purl with a range, or the path of a lockfile or SBOM as it was written. */
  readonly specification: string;
  /** Of lockfiles and SBOMs: their bytes. */
  readonly content?: Uint8Array;
  readonly files?: readonly string[];
  readonly quotaBytes?: number;
}
export interface WatchPorts {
  /** Of the private store. */
  readonly blobs: BlobStore;
  readonly catalog: Pick<Catalog, 'current' | 'all'>;
  readonly sink: FactSink;
}

/**
 * Brings the `watched` facts in line with the configuration: what is new or changed is added, what the configuration once
 * named and no longer does is removed. What a command added stays. Resolves to the number of facts written.
 */
export async function importWatchList(ports: WatchPorts, items: readonly WatchedItem[]): Promise<number> {
  const facts: StateFact[] = [];
  for (const item of items) facts.push(...changedTo(ports.catalog, item.specification, await bodyOf(ports.blobs, item, 'configuration')));
  const named = new Set(items.map(({ specification }) => specification));
  for (const { entry } of ports.catalog.all('watched')) {
    const body = WatchedBody.parse(entry.body);
    if (body.by === 'configuration' && !named.has(entry.subject)) facts.push(...changedTo(ports.catalog, entry.subject, { ...body, state: 'removed' }));
  }
  if (facts.length > 0) await ports.sink.submit(facts);
  return facts.length;
}

/** What became of something that a command named. */
export type WatchChange =
  | { readonly type: 'changed'; readonly fact: StateFact }
  /** As it is already. */
  | { readonly type: 'unchanged' }
  /** The configuration decides about what it names. */
  | { readonly type: 'of-configuration' }
  | { readonly type: 'not-watched' };

/** Watches what an operator names, requested or not. */
export async function addWatched(ports: WatchPorts, item: WatchedItem): Promise<WatchChange> {
  const known = activeBody(ports.catalog, item.specification);
  if (known?.by === 'configuration') return { type: 'of-configuration' };
  return await submitChange(ports, item.specification, await bodyOf(ports.blobs, item, 'command'));
}

/** Asks for a package: nothing is taken in before somebody accepts. */
export async function requestWatched(ports: WatchPorts, specification: string): Promise<WatchChange> {
  if (activeBody(ports.catalog, specification) !== undefined) return { type: 'unchanged' };
  return await submitChange(ports, specification, { state: 'requested', by: 'command' });
}

/** Ends watching, or declines a request. What is held stays. */
export async function removeWatched(ports: WatchPorts, specification: string): Promise<WatchChange> {
  const fact = ports.catalog.current('watched', specification);
  const body = fact === undefined ? undefined : WatchedBody.parse(fact.entry.body);
  if (body === undefined || body.state === 'removed') return { type: 'not-watched' };
  if (body.by === 'configuration') return { type: 'of-configuration' };
  return await submitChange(ports, specification, { ...body, state: 'removed' });
}

/** Accepts the requests that a rule of the configuration names, by patterns of package URLs. Resolves to the number of facts written. */
export async function acceptRequests(ports: Omit<WatchPorts, 'blobs'>, patterns: readonly string[]): Promise<number> {
  if (patterns.length === 0) return 0;
  const matches = picomatch([...patterns], { nonegate: true, dot: true });
  // People write `@scope`; in a canonical purl it is `%40scope`.
  const accepts = (specification: string) => matches(specification) || matches(specification.replaceAll(/%40/gi, '@'));
  const facts: StateFact[] = [];
  for (const { entry } of ports.catalog.all('watched')) {
    const body = WatchedBody.parse(entry.body);
    if (body.state === 'requested' && accepts(entry.subject)) facts.push(...changedTo(ports.catalog, entry.subject, { ...body, state: 'active', by: 'rule' }));
  }
  if (facts.length > 0) await ports.sink.submit(facts);
  return facts.length;
}

function activeBody(catalog: WatchPorts['catalog'], specification: string): WatchedBody | undefined {
  const fact = catalog.current('watched', specification);
  const body = fact === undefined ? undefined : WatchedBody.parse(fact.entry.body);
  return body?.state === 'active' ? body : undefined;
}

async function submitChange(ports: WatchPorts, specification: string, body: WatchedBody): Promise<WatchChange> {
  const [fact] = changedTo(ports.catalog, specification, body);
  if (fact === undefined) return { type: 'unchanged' };
  await ports.sink.submit([fact]);
  return { type: 'changed', fact };
}

async function bodyOf(blobs: BlobStore, { content, files, quotaBytes }: WatchedItem, by: WatchedBody['by']): Promise<WatchedBody> {
  const stored = content === undefined ? undefined : await blobs.put(content, { maxBytes: content.length });
  return {
    state: 'active',
    by,
    ...(stored === undefined ? {} : { content: stored.sha256 }),
    ...(files === undefined ? {} : { files: [...files] }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  };
}

function changedTo(catalog: WatchPorts['catalog'], specification: string, body: WatchedBody): readonly StateFact[] {
  const previous = catalog.current('watched', specification);
  if (previous !== undefined && JSON.stringify(WatchedBody.parse(previous.entry.body)) === JSON.stringify(WatchedBody.parse(body))) return [];
  return [{ kind: 'watched', subject: specification, body: factBody(body), ...(previous === undefined ? {} : { prev: previous.key }) }];
}
