import type { Held } from '@granary/contract/ecosystem';
import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { lineAnswer } from './answers.ts';
import { answerFinished, type Finished, finish } from './finished.ts';
import type { Holdings } from './holdings.ts';
import { type Following, RevisionCache } from './revision-cache.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type ClientTarget = Extract<Target, { type: 'client' }>;

/** It grows as more is kept: a record is in the newest tree that there is. */
const CACHE_CONTROL = 'public, max-age=30';
const OVERHEAD_BYTES = 512;

/** What clients check other files by: the same in every view, since withholding it would only keep them from checking what they may have. */
export interface EvidenceDocuments {
  answer(target: ClientTarget, what: { readonly name: string; readonly mediaType: string }, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
}
export interface EvidencePorts {
  readonly ports: ServePorts;
  readonly holdings: Holdings;
  readonly following: Following;
}

export function openEvidence({ ports, holdings, following }: EvidencePorts, maxBytes: number): EvidenceDocuments {
  const cache = new RevisionCache<Finished | undefined>(following, maxBytes);
  const held: Held = { files: (packagePurl) => holdings.of(packagePurl).files, read: (digest, limit) => ports.blobs.read(digest, limit) };
  return {
    answer({ ecosystem }, { name, mediaType }, request) {
      const respond = (finished: Finished | undefined) =>
        finished === undefined
          ? lineAnswer(404, `Granary holds nothing at ${name.slice(0, 200)}, see ${ports.site.publicUrl}/`)
          : answerFinished(finished, request);
      const found = cache.get(`${ecosystem.id} ${name}`, 'catalog', async () => {
        const bytes = await ecosystem.views.renderEvidence?.(name, held);
        const finished = bytes && (await finish(bytes, { mediaType, coding: 'identity', cacheControl: CACHE_CONTROL, vary: 'Accept-Encoding' }));
        return { value: finished, sizeBytes: OVERHEAD_BYTES + (bytes?.length ?? 0) };
      });
      return found instanceof Promise ? found.then(respond) : respond(found);
    },
  };
}
