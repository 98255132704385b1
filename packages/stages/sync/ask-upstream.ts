import type { AskUpstream, Held } from '@granary/contract/ecosystem';
import { storedArtifact } from '@granary/contract/ecosystem';
import type { SyncPorts } from './sync-ports.ts';

/** What an ecosystem asks of its upstream beside index documents and files. */
export function askUpstream({ upstreamBase, upstream }: Pick<SyncPorts, 'upstreamBase' | 'upstream'>, signal?: AbortSignal): AskUpstream {
  return {
    upstreamBase,
    async fetch(url, maxBytes) {
      const response = await upstream.open({ url, maxBytes, ...(signal === undefined ? {} : { signal }) });
      return response.status === 'ok' ? Buffer.concat(await Array.fromAsync(response.body)) : undefined;
    },
  };
}

/** What is stored, to the knowledge of the catalog. */
export function heldFiles({ catalog, blobs }: Pick<SyncPorts, 'catalog' | 'blobs'>): Held {
  return {
    files: (packagePurl) => catalog.ofPackage('stored', packagePurl).map(storedArtifact),
    read: (digest, maxBytes) => blobs.read(digest, maxBytes),
  };
}
