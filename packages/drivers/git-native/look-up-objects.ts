import { RepositoryError } from '@granary/contract/ports';
import { gitLines } from './git-lines.ts';
import type { GitRunner } from './git-process.ts';
import type { Place } from './sandbox-arguments.ts';

/** A look-up reads objects, or their headers; a chain of tags may be long. */
const LOOK_UP_MS = 600_000;

export interface LookUp {
  readonly runner: GitRunner;
  readonly places: readonly Place[];
  readonly signal?: AbortSignal | undefined;
}
type ObjectType = 'commit' | 'tree' | 'blob';
export interface Peeled {
  readonly objectId: string;
  readonly type: ObjectType;
}

/** Those of the objects that are here. */
export async function objectsHere(lookUp: LookUp, objectIds: readonly string[]): Promise<ReadonlySet<string>> {
  const here = new Set<string>();
  for await (const [objectId, found] of batchCheck(lookUp, '%(objectname)', { objectIds, suffix: '' })) if (found !== undefined) here.add(objectId);
  return here;
}

/** What tags come to (gitrevisions(7), `<rev>^{}`). */
export async function peelObjects(lookUp: LookUp, objectIds: readonly string[]): Promise<ReadonlyMap<string, Peeled>> {
  const peeled = new Map<string, Peeled>();
  for await (const [asked, found] of batchCheck(lookUp, '%(objectname) %(objecttype)', { objectIds, suffix: '^{}' })) {
    const [objectId, type] = found?.split(' ') ?? [];
    if (objectId !== undefined && (type === 'commit' || type === 'tree' || type === 'blob')) peeled.set(asked, { objectId, type });
  }
  return peeled;
}

export interface ObjectHeader {
  readonly type: ObjectType | 'tag';
  readonly sizeBytes: number;
}

/** Type and size of those of the objects that are here. */
export async function objectHeaders(lookUp: LookUp, objectIds: readonly string[]): Promise<ReadonlyMap<string, ObjectHeader>> {
  const headers = new Map<string, ObjectHeader>();
  for await (const [asked, found] of batchCheck(lookUp, '%(objecttype) %(objectsize)', { objectIds, suffix: '' })) {
    const [type, size] = found?.split(' ') ?? [];
    if (type === 'commit' || type === 'tree' || type === 'blob' || type === 'tag') headers.set(asked, { type, sizeBytes: Number(size) });
  }
  return headers;
}

interface Asked {
  readonly objectIds: readonly string[];
  readonly suffix: '' | '^{}';
}

/** An answer for each object id, in order (git-cat-file(1), batch output); undefined for what isn't here. */
async function* batchCheck({ runner, places, signal }: LookUp, format: string, asked: Asked): AsyncGenerator<readonly [string, string | undefined]> {
  const objectIds = [...new Set(asked.objectIds)];
  if (objectIds.length === 0) return;
  const what = 'look up objects';
  const lines = gitLines(runner, what, {
    args: ['cat-file', `--batch-check=${format}`, '--buffer'],
    places,
    timeoutMs: LOOK_UP_MS,
    input: objectIds.map((id) => `${id}${asked.suffix}`),
    ...(signal === undefined ? {} : { signal }),
  });
  let answered = 0;
  for await (const line of lines) {
    const objectId = objectIds[answered];
    if (objectId === undefined) break;
    answered += 1;
    yield [objectId, line.endsWith(' missing') ? undefined : line];
  }
  if (answered !== objectIds.length) throw new RepositoryError('malformed', `${what}: git answered ${answered} of ${objectIds.length} questions`);
}
