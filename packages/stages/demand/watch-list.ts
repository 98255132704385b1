import type { BlobStore, Catalog, FactSink } from '@granary/contract/ports';
import { factBody, type StateFact, WatchedBody } from '@granary/core/model';

/** One line of the configuration's `watch:`. */
export interface WatchedItem {
  /** A purl, a purl with a range, or the path of a lockfile as it was written. */
  readonly specification: string;
  /** Of lockfiles: their bytes. */
  readonly content?: Uint8Array;
  readonly files?: readonly string[];
}

/**
 * Brings the `watched` facts in line with the configuration: what is new or changed is added, what the configuration once
 * named and no longer does is removed. What a command added stays. Resolves to the number of facts written.
 */
export async function importWatchList(
  ports: { readonly blobs: BlobStore; readonly catalog: Catalog; readonly sink: FactSink },
  items: readonly WatchedItem[],
): Promise<number> {
  const facts: StateFact[] = [];
  for (const item of items) {
    const content = item.content === undefined ? undefined : await ports.blobs.put(item.content, { maxBytes: item.content.length });
    const body: WatchedBody = {
      state: 'active',
      by: 'configuration',
      ...(content === undefined ? {} : { content: content.sha256 }),
      ...(item.files === undefined ? {} : { files: [...item.files] }),
    };
    facts.push(...changedTo(ports.catalog, item.specification, body));
  }
  const named = new Set(items.map(({ specification }) => specification));
  for (const { entry } of ports.catalog.all('watched')) {
    const body = WatchedBody.parse(entry.body);
    if (body.by === 'configuration' && !named.has(entry.subject)) facts.push(...changedTo(ports.catalog, entry.subject, { ...body, state: 'removed' }));
  }
  if (facts.length > 0) await ports.sink.submit(facts);
  return facts.length;
}

function changedTo(catalog: Catalog, specification: string, body: WatchedBody): readonly StateFact[] {
  const previous = catalog.current('watched', specification);
  if (previous !== undefined && JSON.stringify(WatchedBody.parse(previous.entry.body)) === JSON.stringify(WatchedBody.parse(body))) return [];
  return [{ kind: 'watched', subject: specification, body: factBody(body), ...(previous === undefined ? {} : { prev: previous.key }) }];
}
