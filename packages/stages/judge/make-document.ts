import type { CommitDocument, CommitRules, CommitSource, DocumentSource } from '@granary/contract/ecosystem';
import type { LocalRepository } from '@granary/contract/ports';
import type { Artifact } from '@granary/core/model';

/** No file of a tree that a document is made of is larger. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

type DocumentRepository = Pick<LocalRepository, 'commitsNamed' | 'objectsAt' | 'blobs'>;

export interface DocumentToMake {
  readonly target: Artifact;
  readonly published: Uint8Array;
  readonly source: CommitSource;
  readonly rules: CommitRules;
  readonly document: CommitDocument;
}

/**
 * What a file that is no archive comes to when it is made of the commit; undefined where that gives none, or its repository doesn't have it. Throws RepositoryError.
 */
export async function makeDocument(local: DocumentRepository, { target, published, source, rules, document }: DocumentToMake): Promise<Uint8Array | undefined> {
  const { commit, directory = '' } = source;
  const named = (await local.commitsNamed(commit)).find(({ objectId }) => objectId === commit);
  if (named === undefined) return undefined;
  const file = await fileAt(local, commit, rules.placesOf(target, target.fileName, directory));
  return document.make(target, { published, file, directory, commit, committedAt: named.committedAt });
}

async function fileAt(local: DocumentRepository, commit: string, places: readonly string[]): Promise<DocumentSource['file']> {
  const ids = await local.objectsAt(places.map((path) => ({ commit, path })));
  const id = ids.find((found) => found !== undefined);
  if (id === undefined) return 'absent';
  return (await local.blobs([id], { maxBytes: MAX_FILE_BYTES })).get(id) ?? 'unreadable';
}
