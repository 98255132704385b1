import type { CandidateFile, ResolverEcosystem } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { type Purl, parsePurl, parseSha256, type Sha256 } from '@granary/core/model';
import type { SyncPorts } from './sync-ports.ts';
import type { UpstreamDocument, UpstreamDocuments } from './upstream-documents.ts';

/** Upstream as it stands now, whole, in the form that the resolver reads: nothing in it counts as mirrored. */
export interface CandidateView {
  /** Answers the resolver. Paths: `simple/<package>/` and `files/<purl of the package>/<sha256>/<origin>/<file name>.metadata`. */
  handle(request: Request): Promise<Response>;
}

export interface CandidatePorts extends Pick<SyncPorts, 'upstream' | 'blobs'> {
  readonly ecosystem: ResolverEcosystem;
  readonly documents: UpstreamDocuments;
  /** Metadata of a release that has only source archives: its build tells, in the sandbox. Undefined when that fails. */
  readonly buildMetadata: (archive: CandidateFile['artifact']) => Promise<Uint8Array | undefined>;
}

const MAX_WHEEL_BYTES = 128 * 2 ** 20;

export function openCandidateView(ports: CandidatePorts): CandidateView {
  const metadata = new Map<string, Promise<Uint8Array | undefined>>();
  return {
    async handle(request) {
      const path = decodeURIComponent(new URL(request.url).pathname).replace(/^\/+/, '');
      const packagePurl = ports.ecosystem.rebuilding.candidate.packageOfPath(path);
      if (packagePurl !== undefined) return packageResponse(ports, await ports.documents.current(packagePurl));
      return await metadataResponse(ports, path, metadata);
    },
  };
}

function packageResponse(ports: CandidatePorts, document: UpstreamDocument | undefined): Response {
  if (document === undefined) return new Response('no such package upstream', { status: 404 });
  const body = ports.ecosystem.rebuilding.candidate.render(
    document,
    ({ artifact, origin }, fileName) =>
      `../../files/${encodeURIComponent(document.package)}/${artifact.digests.sha256}/${origin}/${encodeURIComponent(fileName)}`,
  );
  return new Response(Buffer.from(body), { headers: { 'content-type': ports.ecosystem.rebuilding.candidate.mediaType } });
}

async function metadataResponse(ports: CandidatePorts, path: string, metadata: Map<string, Promise<Uint8Array | undefined>>): Promise<Response> {
  const [, name = '', digest = '', origin = ''] = /^files\/(.+)\/([0-9a-f]{64})\/(published|stand-in)\/[^/]+\.metadata$/.exec(path) ?? [];
  const [packagePurl, archive] = [parsePurl(name), parseSha256(digest)];
  const file = packagePurl === undefined || archive === undefined ? undefined : await findFile(ports, packagePurl, { archive, origin });
  if (file === undefined || archive === undefined) return new Response('the candidate view serves indexes and metadata only', { status: 404 });
  const key = `${origin} ${digest}`;
  const found = metadata.get(key) ?? readMetadata(ports, file, archive);
  metadata.set(key, found);
  // A failure is not remembered: the next resolution asks again.
  const bytes = await found.catch((error: unknown) => {
    metadata.delete(key);
    throw error;
  });
  return bytes === undefined
    ? new Response('no metadata can be had', { status: 404 })
    : new Response(Buffer.from(bytes), { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** Of one document: to look for a digest in all of them, each would have to be read again. */
async function findFile(
  ports: CandidatePorts,
  packagePurl: Purl,
  { archive, origin }: { readonly archive: Sha256; readonly origin: string },
): Promise<CandidateFile | undefined> {
  const found = await ports.documents.current(packagePurl);
  const files = found === undefined ? [] : ports.ecosystem.rebuilding.candidate.files(found.document);
  return files.find((candidate) => candidate.artifact.digests.sha256 === archive && candidate.origin === origin);
}

/** The archive is stored on the way: what is resolved is most often wanted next. */
async function readMetadata(ports: CandidatePorts, { artifact, origin }: CandidateFile, digest: Sha256): Promise<Uint8Array | undefined> {
  if ((await ports.blobs.size(digest)) === undefined) {
    const response = await ports.upstream.open({ url: artifact.url, maxBytes: MAX_WHEEL_BYTES });
    if (response.status !== 'ok') throw new JobError('later', `fetch ${artifact.purl}: upstream lists ${artifact.url} but doesn't have it`);
    await ports.blobs.put(response.body, { digests: artifact.digests, maxBytes: MAX_WHEEL_BYTES });
  }
  if (origin === 'stand-in') return await ports.buildMetadata(artifact);
  const bytes = await ports.blobs.read(digest, MAX_WHEEL_BYTES);
  return bytes === undefined ? undefined : (await ports.ecosystem.declared(artifact, bytes)).metadata;
}
