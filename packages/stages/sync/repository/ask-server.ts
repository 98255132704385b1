import type { UpstreamResponse } from '@granary/contract/ports';
import {
  type FetchWish,
  fetchRequest,
  GitFormatError,
  type GitServer,
  lsRefsRequest,
  type ReceivedRefs,
  type RefListing,
  readAdvertisement,
  readFetch,
  readLsRefs,
} from '@granary/core/git';
import type { RepositoryPorts } from './repository-ports.ts';

/** A server that answered for a repository. */
export interface Answering {
  readonly server: GitServer;
  /** Where it answered, after redirects: what follows is asked there. */
  readonly url: string;
}
export interface Asked extends Answering {
  readonly listing: RefListing;
}
type AskPorts = Pick<RepositoryPorts, 'upstream' | 'refPrefixes'>;

const SERVICE = 'git-upload-pack';
const LIST_PATH = '/info/refs';
const PROTOCOL = { 'git-protocol': 'version=2' };
const MAX_REFS_BYTES = 256 * 2 ** 20;
const LISTING_TIMEOUT_MS = 300_000;
/** A server counts and packs before it sends: what it says meanwhile is a few bytes now and then. */
const PACKING_STALL_MS = 15 * 60_000;
/** It is recorded, in a fact of a few hundred bytes. */
const MAX_URL_CHARS = 2048;

/** Which refs a repository has, of those that are kept (gitprotocol-http, gitprotocol-v2). Undefined where there is no such repository. Throws UpstreamError, GitFormatError. */
export async function askForRefs(ports: AskPorts, repository: string, signal?: AbortSignal): Promise<Asked | undefined> {
  // Some servers know it by one of the two only.
  return (await askAt(ports, repository, signal)) ?? (repository.endsWith('.git') ? undefined : await askAt(ports, `${repository}.git`, signal));
}

async function askAt(ports: AskPorts, repository: string, signal?: AbortSignal): Promise<Asked | undefined> {
  const response = await ports.upstream.open({
    url: `${repository}${LIST_PATH}?service=${SERVICE}`,
    headers: PROTOCOL,
    maxBytes: MAX_REFS_BYTES,
    timeoutMs: LISTING_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status !== 'ok') return undefined;
  // gitprotocol-http, smart server response: anything else is a page, or a folder of files.
  if (response.contentType !== `application/x-${SERVICE}-advertisement`) throw notGit(response);
  const url = repositoryOf(response);
  const server = await readAdvertisement(response.body);
  const answering = { server, url };
  const received = server.version === 0 ? server.listed : await askV2(ports, { ...answering, server }, signal);
  return { ...answering, listing: keptOf(received, ports.refPrefixes) };
}

async function askV2(
  { upstream, refPrefixes }: AskPorts,
  { server, url }: Answering & { readonly server: Extract<GitServer, { version: 2 }> },
  signal?: AbortSignal,
): Promise<ReceivedRefs> {
  const response = await upstream.open({
    ...postOf(url, lsRefsRequest(server, ['HEAD', ...refPrefixes])),
    maxBytes: MAX_REFS_BYTES,
    timeoutMs: LISTING_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  return await readLsRefs(bodyOf(response, url), { objectFormat: server.objectFormat });
}

/** The bytes of a pack, as they come. Throws UpstreamError, GitFormatError while it is read. */
export async function* askForPack(
  { upstream }: Pick<RepositoryPorts, 'upstream'>,
  { server, url }: Answering,
  wish: FetchWish,
  {
    maxBytes,
    stallMs = PACKING_STALL_MS,
    signal,
  }: { readonly maxBytes: number; readonly stallMs?: number | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  const response = await upstream.open({
    ...postOf(url, fetchRequest(server, wish)),
    // The frames around the pack, and what the server says beside it.
    maxBytes: maxBytes + Math.ceil(maxBytes / 16) + 64 * 2 ** 20,
    stallMs,
    ...(signal === undefined ? {} : { signal }),
  });
  yield* readFetch(bodyOf(response, url), { version: server.version, maxBytes });
}

function notGit({ body, contentType, url }: Extract<UpstreamResponse, { status: 'ok' }>): GitFormatError {
  void body[Symbol.asyncIterator]().return?.();
  const what = /^[\x20-\x7e]{1,100}$/.test(contentType) ? contentType : 'something of no type';
  return new GitFormatError('unsupported', `${url} answers with ${what}: no git server that speaks its smart protocol`);
}

function postOf(url: string, body: Uint8Array) {
  return { url: `${url}/${SERVICE}`, headers: PROTOCOL, post: { contentType: `application/x-${SERVICE}-request`, body } };
}

function bodyOf(response: UpstreamResponse, url: string): AsyncIterable<Uint8Array> {
  if (response.status === 'ok') return response.body;
  throw new GitFormatError('unsupported', `${url} said that it is a git server, and nobody answers its questions`);
}

/**
 * gitprotocol-http: who is redirected asks the rest of the repository that it was led to. As git does, only where the address says which that
 * is. Throws GitFormatError.
 */
function repositoryOf(response: Extract<UpstreamResponse, { status: 'ok' }>): string {
  const { origin, pathname } = new URL(response.url);
  const repository = `${origin}${pathname.slice(0, -LIST_PATH.length)}`;
  if (pathname.endsWith(LIST_PATH) && repository.length <= MAX_URL_CHARS) return repository;
  void response.body[Symbol.asyncIterator]().return?.();
  throw new GitFormatError('unsupported', `redirected to ${response.url.slice(0, 200)}, which is no repository's list of refs`);
}

/** Servers may list more than they were asked for. */
function keptOf({ refs, peeled, head }: RefListing, prefixes: readonly string[]): RefListing {
  const isKept = (name: string) => name === 'HEAD' || prefixes.some((prefix) => name.startsWith(prefix));
  return {
    refs: new Map([...refs].filter(([name]) => isKept(name))),
    peeled: new Map([...peeled].filter(([name]) => isKept(name))),
    ...(head === undefined || !isKept(head) ? {} : { head }),
  };
}
