import type { Catalog, FactSink, Readers } from '@granary/contract/ports';
import { MAX_READERS, parseReaderId, type ReaderId } from '@granary/core/access';
import { factBody, type Instant, ReaderBody, type Sha256, type StateFact } from '@granary/core/model';

/** Somebody who may read. */
export interface Reader {
  readonly id: ReaderId;
  readonly name: string;
  /** Digest of the token. */
  readonly token: Sha256;
  readonly since: Instant;
}
export interface ReaderPorts {
  /** Folds the private ledger. */
  readonly catalog: Pick<Catalog, 'all' | 'current'>;
  readonly sink: FactSink;
}

export type ReaderChange =
  | { readonly type: 'changed'; readonly reader: Pick<Reader, 'id' | 'name'>; readonly fact: StateFact }
  /** Names are for people, who must be able to tell readers apart. */
  | { readonly type: 'name-taken' }
  | { readonly type: 'bad-name' }
  | { readonly type: 'too-many' };

/** What stays on one line of a table. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,63}$/u;

/** Everybody who may read now, by name. */
export function readersIn(catalog: ReaderPorts['catalog']): readonly Reader[] {
  return [...catalog.all('reader')]
    .flatMap(({ entry }): readonly Reader[] => {
      const { state, name, token } = ReaderBody.parse(entry.body);
      const id = parseReaderId(entry.subject);
      return state === 'removed' || id === undefined ? [] : [{ id, name, token, since: entry.at }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Lets somebody read who shows the token of that digest. The id is new. */
export async function addReader(ports: ReaderPorts, { id, name, token }: Omit<Reader, 'since'>): Promise<ReaderChange> {
  if (!NAME.test(name)) return { type: 'bad-name' };
  const readers = readersIn(ports.catalog);
  if (readers.some((reader) => reader.name === name)) return { type: 'name-taken' };
  if (readers.length >= MAX_READERS) return { type: 'too-many' };
  const fact: StateFact = { kind: 'reader', subject: id, body: factBody({ state: 'active', name, token } satisfies ReaderBody) };
  await ports.sink.submit([fact]);
  return { type: 'changed', reader: { id, name }, fact };
}

/** Ends what a reader may, by name or id. Undefined when there is none. */
export async function removeReader(ports: ReaderPorts, nameOrId: string): Promise<Extract<ReaderChange, { readonly type: 'changed' }> | undefined> {
  const readers = readersIn(ports.catalog);
  const reader = readers.find(({ name }) => name === nameOrId) ?? readers.find(({ id }) => id === nameOrId);
  const before = reader === undefined ? undefined : ports.catalog.current('reader', reader.id);
  if (reader === undefined || before === undefined) return undefined;
  const { id, name, token } = reader;
  const fact: StateFact = { kind: 'reader', subject: id, prev: before.key, body: factBody({ state: 'removed', name, token } satisfies ReaderBody) };
  await ports.sink.submit([fact]);
  return { type: 'changed', reader: { id, name }, fact };
}

/** As a process knows them that folds the private ledger itself: what is sequenced holds at once. */
export function readersOfCatalog(catalog: Pick<Catalog, 'current' | 'revision'>): Readers {
  return {
    tokenOf(id) {
      const fact = catalog.current('reader', id);
      const body = fact === undefined ? undefined : ReaderBody.parse(fact.entry.body);
      return body?.state === 'active' ? body.token : undefined;
    },
    revision: () => catalog.revision(),
  };
}
