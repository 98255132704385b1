import type { Catalog, HttpRequest, HttpResponse } from '@granary/contract/ports';
import { heldLargeFile, largeFileName, largeFilePurl } from '@granary/contract/repository';
import { type AnsweredFile, encodeBatchAnswer, type LargeFile, LFS_MEDIA_TYPE, parseBatchRequest } from '@granary/core/lfs';
import { type Purl, parseSha256, type Sha256 } from '@granary/core/model';
import { headerOf } from './answers.ts';
import type { Artifacts } from './artifacts.ts';
import type { RepositoryTarget } from './repositories.ts';
import type { ServePorts } from './serve-ports.ts';

/** What git-lfs asks, below `<repository>/info/lfs/` (docs/api/batch.md, basic-transfers.md). */
export type LargeFileOperation = { readonly type: 'batch' } | { readonly type: 'file'; readonly oid: Sha256 } | { readonly type: 'none' };
type LargeFileTarget = RepositoryTarget & { readonly operation: LargeFileOperation };

/** A thousand files, with some to spare for names of refs and transfers. */
const MAX_ASKED_BYTES = 2 ** 20;

/** What a path below `info/lfs/` means. Locks are `none`: a client takes that for a server which has no locks. */
export function largeFileOperation(path: string): LargeFileOperation {
  if (path === 'objects/batch') return { type: 'batch' };
  const oid = path.startsWith('objects/') ? parseSha256(path.slice('objects/'.length)) : undefined;
  return oid === undefined ? { type: 'none' } : { type: 'file', oid };
}

/** An error in the words of LFS, of which clients show the message. */
export function largeFileRefusal(status: number, message: string, headers: readonly string[] = []): HttpResponse {
  return answerOf(status, new TextEncoder().encode(`${JSON.stringify({ message: message.slice(0, 600) })}\n`), headers);
}

/** Why a repository or a file is given to nobody; undefined where it is, or is again. */
export function quarantineReason(catalog: Pick<Catalog, 'current'>, subject: Purl): string | undefined {
  const quarantine = catalog.current('quarantined', subject);
  const released = catalog.current('released', subject);
  if (quarantine === undefined || (released !== undefined && released.index > quarantine.index)) return undefined;
  const { reason } = quarantine.entry.body;
  return typeof reason === 'string' ? reason.slice(0, 200) : 'no reason given';
}

/** Answers git-lfs about the large files of a repository that may be read. */
export function openLargeFiles(
  ports: ServePorts,
  artifacts: Pick<Artifacts, 'file'>,
): (target: LargeFileTarget, request: HttpRequest) => Promise<HttpResponse> {
  const see = `see ${ports.site.publicUrl}/`;
  return async (target, request) => {
    const { operation, repository } = target;
    switch (operation.type) {
      case 'batch':
        return await answerBatch(ports, target, request);
      case 'file': {
        if (request.method === 'POST') return largeFileRefusal(405, 'Granary only serves: it takes nothing in here', ['allow', 'GET, HEAD']);
        const file = fileAt(ports, target, operation.oid);
        if ('why' in file) return largeFileRefusal(file.status, `${file.why}, ${see}`);
        const named = { purl: largeFilePurl(repository, file.oid), fileName: largeFileName(file.oid), sha256: file.oid, sizeBytes: file.sizeBytes };
        return await artifacts.file(named, 'application/octet-stream', request);
      }
      case 'none':
        return largeFileRefusal(404, `Granary has nothing here: it keeps no locks, ${see}`);
    }
  };
}

async function answerBatch(ports: ServePorts, target: LargeFileTarget, request: HttpRequest): Promise<HttpResponse> {
  if (request.method !== 'POST') return largeFileRefusal(405, 'Granary answers this when it is asked with POST', ['allow', 'POST']);
  const body = await request.body?.(MAX_ASKED_BYTES);
  if (body === undefined || body.type === 'refused')
    return largeFileRefusal(body?.status ?? 400, `Granary does not read this: ${body?.why ?? 'there is no body'}`);
  const asked = parseBatchRequest(body.bytes);
  switch (asked.operation) {
    case 'refused':
      return largeFileRefusal(asked.status, `Granary does not read this: ${asked.why}`);
    case 'upload':
      return largeFileRefusal(403, `Granary only serves ${target.repository}: it takes no large files, see ${ports.site.publicUrl}/`);
    case 'download': {
      // Whoever had to show a token here is to show it for the file too: it lies at the same origin.
      const authorization = ports.readers === undefined ? undefined : headerOf(request, 'authorization');
      return answerOf(200, encodeBatchAnswer(asked.files.map((file) => answeredFile(ports, target, { file, authorization }))));
    }
  }
}

function answeredFile(
  ports: ServePorts,
  target: LargeFileTarget,
  { file, authorization }: { readonly file: LargeFile; readonly authorization: string | undefined },
): AnsweredFile {
  const held = fileAt(ports, target, file.oid);
  if ('why' in held) return { ...file, answer: { code: held.status, message: held.why } };
  if (held.sizeBytes !== file.sizeBytes) return { ...file, answer: { code: 422, message: `the file of this digest has ${held.sizeBytes} bytes` } };
  return { ...file, answer: { href: `${target.address}/info/lfs/objects/${file.oid}`, authorization } };
}

/** As far as it is on record, to the knowledge that the view has. What was ever held can be asked for in every view of a time in which the repository was known. */
function fileAt({ catalog }: ServePorts, { view, repository }: LargeFileTarget, oid: Sha256): LargeFile | { readonly status: 403 | 404; readonly why: string } {
  const at = view.type === 'as-of' && view.size !== undefined ? { size: view.size } : {};
  const quarantined = quarantineReason(catalog, largeFilePurl(repository, oid));
  if (quarantined !== undefined) return { status: 403, why: `Granary quarantined this file: ${quarantined}` };
  return heldLargeFile(catalog, repository, oid, at) ?? { status: 404, why: `Granary does not hold this large file of ${repository}` };
}

function answerOf(status: number, body: Uint8Array, headers: readonly string[] = []): HttpResponse {
  // What it holds may be a token: nothing between keeps it.
  const fixed = ['content-type', LFS_MEDIA_TYPE, 'content-length', String(body.length), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff'];
  return { status, body, headers: [...fixed, ...headers] };
}
