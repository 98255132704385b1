import { type HttpRequest, type HttpResponse, type Repositories, RepositoryError, type ShownRefs, type UploadPackRequest } from '@granary/contract/ports';
import { heldPacks, readRefState } from '@granary/contract/repository';
import { type ObjectFormat, parseRepository } from '@granary/core/git';
import { ObservedBody, type Purl, type Sha256 } from '@granary/core/model';
import { LRUCache } from 'lru-cache';
import { headerOf, lineAnswer } from './answers.ts';
import type { Artifacts } from './artifacts.ts';
import { type LargeFileOperation, largeFileOperation, largeFileRefusal, openLargeFiles, quarantineReason } from './large-files.ts';
import type { ServePorts } from './serve-ports.ts';
import type { View } from './view.ts';

/** What a client of git asks of a repository (gitprotocol-http), or one of its large files (docs/api/batch.md of LFS). */
type RepositoryOperation = 'info-refs' | 'upload-pack' | LargeFileOperation | 'other';
export interface RepositoryTarget {
  readonly type: 'repository';
  readonly view: View;
  /** Where clients reach it in this view. */
  readonly address: string;
  readonly repository: Purl;
  readonly operation: RepositoryOperation;
  /** The service that was asked for by name. */
  readonly service: string | undefined;
}
export interface RepositoryAnswers {
  answer(target: RepositoryTarget, request: HttpRequest): Promise<HttpResponse>;
}

const SERVICE = 'git-upload-pack';
/** 65536 wants and as many haves as git ever names. */
const MAX_ASKED_BYTES = 8 * 2 ** 20;
/** Snapshots of refs that were just shown: a clone asks twice. */
const REMEMBERED_SNAPSHOTS = 16;
const OPERATIONS: readonly { readonly path: string; readonly operation: RepositoryOperation }[] = [
  { path: 'info/refs', operation: 'info-refs' },
  { path: SERVICE, operation: 'upload-pack' },
];
/** Where git-lfs asks, unless it was told otherwise (docs/api/server-discovery.md). */
const LARGE_FILES = /^(.+)\/info\/lfs\/(.+)$/;

type Route = Pick<RepositoryTarget, 'repository' | 'operation' | 'service'>;

/** What a path below `/git/` means: `<host>/<path>`, with or without `.git`, and what is asked there. Undefined for what can't be a repository. */
export function repositoryRoute(path: string, query: URLSearchParams): Route | undefined {
  const [, ofLargeFiles, rest = ''] = LARGE_FILES.exec(path) ?? [];
  const asked = OPERATIONS.find((one) => path.endsWith(`/${one.path}`));
  const repository = parseRepository(`https://${ofLargeFiles ?? (asked === undefined ? path : path.slice(0, -asked.path.length - 1))}`);
  if (repository === undefined) return undefined;
  const operation = ofLargeFiles === undefined ? (asked?.operation ?? 'other') : largeFileOperation(rest);
  return { repository: repository.purl, operation, service: query.get('service') ?? undefined };
}

/** Answers git's clients: the newest view shows the refs that upstream has, one of a moment those of then. What is gone can be asked for by id. */
export function openRepositories(ports: ServePorts, repositories: Repositories, artifacts: Pick<Artifacts, 'file'>): RepositoryAnswers {
  const largeFiles = openLargeFiles(ports, artifacts);
  const shown = new LRUCache<Sha256, Snapshot>({ max: REMEMBERED_SNAPSHOTS });
  return {
    async answer(target, request) {
      const { operation } = target;
      if (typeof operation === 'object') {
        const why = quarantineLine(ports, target.repository);
        if (why !== undefined) return largeFileRefusal(403, why);
        return documentAt(ports, target) === undefined ? largeFileRefusal(404, notHeld(ports, target)) : await largeFiles({ ...target, operation }, request);
      }
      const refused = refusal(ports, target, request);
      if (refused !== undefined) return refused;
      const document = documentAt(ports, target);
      if (document === undefined) return lineAnswer(404, notHeld(ports, target));
      const snapshot = shown.get(document) ?? (await readSnapshot(ports, document));
      shown.set(document, snapshot);
      return await answerClient(ports, { target, request, snapshot, repositories });
    },
  };
}

interface Snapshot {
  readonly objectFormat: ObjectFormat;
  readonly refs: ShownRefs;
}

async function readSnapshot({ blobs }: ServePorts, document: Sha256): Promise<Snapshot> {
  const { objectFormat, refs, head } = (await readRefState(blobs, document)).state;
  return { objectFormat, refs: { refs, ...(head === undefined ? {} : { head }) } };
}

/** Why nothing of it is given out; undefined where it may be. */
function quarantineLine({ catalog, site }: ServePorts, repository: Purl): string | undefined {
  const why = quarantineReason(catalog, repository);
  return why && `Granary quarantined ${repository}: ${why}, see ${site.publicUrl}/`;
}

function refusal(ports: ServePorts, { repository, operation, service }: RepositoryTarget, { method }: HttpRequest): HttpResponse | undefined {
  const see = `see ${ports.site.publicUrl}/`;
  const quarantined = quarantineLine(ports, repository);
  if (quarantined !== undefined) return lineAnswer(403, quarantined);
  if (service === 'git-receive-pack') return lineAnswer(403, `Granary only serves ${repository}: it takes no push, ${see}`);
  if (operation === 'upload-pack') return method === 'POST' ? undefined : lineAnswer(405, 'Granary answers this when it is asked with POST', ['allow', 'POST']);
  if (method === 'POST') return lineAnswer(405, 'Granary only serves: it takes nothing in here', ['allow', 'GET, HEAD']);
  // The dumb protocol asks for files that nobody keeps.
  if (operation === 'other' || service !== SERVICE) return lineAnswer(404, `Granary serves ${repository} to git: git clone this address, ${see}`);
  return undefined;
}

/** The snapshot that the view shows: the newest, or the last that was seen by then. */
function documentAt({ catalog }: ServePorts, { view, repository }: RepositoryTarget): Sha256 | undefined {
  const at = view.type === 'as-of' && view.size !== undefined ? { size: view.size } : {};
  const seen = catalog.ofPackage('observed', repository, { ...at, history: view.type === 'as-of' });
  const fact = seen.findLast(({ entry }) => view.type !== 'as-of' || entry.at <= view.time);
  return fact === undefined ? undefined : ObservedBody.parse(fact.entry.body).document;
}

function notHeld({ catalog, site }: ServePorts, { view, repository }: RepositoryTarget): string {
  const [first] = catalog.ofPackage('observed', repository, { history: true });
  if (view.type === 'as-of' && first !== undefined)
    return `Granary as-of ${view.time} has no ${repository}: it was first seen at ${first.entry.at}, see ${site.publicUrl}/`;
  return `Granary does not hold ${repository}: ask for it with granary watch request "${repository}", see ${site.publicUrl}/`;
}

async function* onePiece(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes !== undefined) yield bytes;
}

interface Asked {
  readonly target: RepositoryTarget;
  readonly request: HttpRequest;
  readonly snapshot: Snapshot;
  readonly repositories: Repositories;
}

async function answerClient({ catalog }: ServePorts, { target, request, snapshot, repositories }: Asked): Promise<HttpResponse> {
  const { repository, operation } = target;
  const asked = operation === 'upload-pack' ? await request.body?.(MAX_ASKED_BYTES) : undefined;
  if (asked?.type === 'refused') return lineAnswer(asked.status, `Granary does not read this: ${asked.why}`);
  const protocol = headerOf(request, 'git-protocol');
  const question: UploadPackRequest = {
    operation: operation === 'upload-pack' ? 'upload-pack' : 'advertise',
    body: onePiece(asked?.bytes),
    ...(protocol === undefined ? {} : { protocol }),
  };
  try {
    const local = await repositories.open(repository, { objectFormat: snapshot.objectFormat, packs: heldPacks(catalog, repository) });
    const stream = await local.uploadPack(snapshot.refs, question);
    return {
      status: 200,
      // gitprotocol-http: nothing of it may be kept by a cache.
      headers: ['content-type', `application/x-${SERVICE}-${operation === 'upload-pack' ? 'result' : 'advertisement'}`, 'cache-control', 'no-cache, no-store'],
      body: { open: async () => stream },
    };
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    // Nothing was answered: what git could not read is what it was asked.
    if (error.code === 'malformed' && operation === 'upload-pack') return lineAnswer(400, `Granary does not read this: ${error.message}`);
    return lineAnswer(503, `Granary can't serve ${repository} now: ${error.message}`, ['retry-after', '30']);
  }
}
