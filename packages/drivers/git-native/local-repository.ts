import type { LocalRepository, ShownRefs, StoredPack, UploadPackRequest } from '@granary/contract/ports';
import type { LimitFunction } from 'p-limit';
import { archiveCommit } from './archive-commit.ts';
import { areAncestors } from './are-ancestors.ts';
import { askedFor } from './asked-for.ts';
import type { BackgroundIndex } from './background-index.ts';
import { commitsNamed } from './commits-named.ts';
import { commitsTouching } from './commits-touching.ts';
import type { FolderCache, RepositoryKey } from './folder-cache.ts';
import type { GitRunner } from './git-process.ts';
import type { HeldFolder } from './held-folder.ts';
import { historyOf } from './history-of.ts';
import { type LookUp, objectsHere, peelObjects } from './look-up-objects.ts';
import { checkObjectIds } from './object-ids.ts';
import { objectsAt } from './objects-at.ts';
import { readBlobs } from './read-blobs.ts';
import { readCommitObject } from './read-commit-object.ts';
import { readConfiguration } from './read-configuration.ts';
import { readTree } from './read-tree.ts';
import type { ShownFolders } from './shown-folders.ts';
import { smallFiles } from './small-files.ts';
import { type PackTaker, takePack } from './take-pack.ts';
import { type ServingLimits, uploadPack } from './upload-pack.ts';

export interface RepositoryParts extends PackTaker {
  readonly folders: FolderCache;
  readonly shownFolders: ShownFolders;
  readonly index: BackgroundIndex;
  readonly serving: ServingLimits;
  /** How many clients are served at a time. */
  readonly turns: LimitFunction;
}

/** The folder may be gone between two calls: each makes sure that it is there, with the packs that were given, and those that were taken since. */
export function localRepository(parts: RepositoryParts, key: RepositoryKey, given: readonly StoredPack[]): LocalRepository {
  const { folders, runner, index } = parts;
  const packs: StoredPack[] = [...given];
  const lookUp = <T>(ids: readonly string[], work: (lookUp: LookUp) => Promise<T>): Promise<T> =>
    folders.use(key, { packs }, async (folder) => {
      checkObjectIds(key.objectFormat, ids);
      try {
        return await work(reading(runner, folder));
      } finally {
        index.touch(folder);
      }
    });

  return {
    take: (pack, tips, limits) =>
      folders.use(key, { packs, signal: limits.signal }, async (folder) => {
        checkObjectIds(key.objectFormat, tips);
        const taken = await takePack(parts, folder, { pack, tips, limits });
        packs.push({ pack: taken.pack, index: taken.index });
        // So that its first client needn't wait until git has counted all objects; of what comes later, that is little.
        if (packs.length === 1) index.wantLater(folder, { key, packs, tips: () => commitsOf(reading(runner, folder), tips) });
        return taken;
      }),
    having: (objectIds) => lookUp(objectIds, (here) => objectsHere(here, objectIds)),
    areAncestors: (pairs) =>
      lookUp(
        pairs.flatMap(({ before, after }) => [before, after]),
        (here) => areAncestors(here, pairs),
      ),
    history: (objectIds, max) => lookUp(objectIds, (here) => historyOf(here, objectIds, max)),
    peel: (objectIds) => lookUp(objectIds, (here) => peelObjects(here, objectIds)),
    tree: (commit, limits) => lookUp([commit], (here) => readTree(here, commit, limits)),
    objectsAt: (questions) =>
      lookUp(
        questions.map(({ commit }) => commit),
        (here) => objectsAt(here, questions),
      ),
    blobs: (objectIds, limits) => lookUp(objectIds, (here) => readBlobs(here, objectIds, limits)),
    smallFiles: (tips, limits, read) => lookUp(tips, (here) => smallFiles(here, tips, limits, read)),
    configuration: (objectId, limits) => lookUp([objectId], (here) => readConfiguration(here, objectId, limits)),
    commitsTouching: (tips, path, max) => lookUp(tips, (here) => commitsTouching(here, tips, { path, max })),
    commitsNamed: (idPrefix) => lookUp([], (here) => commitsNamed(here, idPrefix)),
    commitObject: (commit, limits) => lookUp([commit], (here) => readCommitObject(here, commit, limits)),
    archive: (commit, limits) => lookUp([commit], (here) => archiveCommit(here, commit, limits)),
    uploadPack: (shown, request) => serve(parts, { key, packs, shown }, request),
  };
}

interface Shown {
  readonly key: RepositoryKey;
  readonly packs: readonly StoredPack[];
  readonly shown: ShownRefs;
}

/** Resolves with the answer; its turn, and its folders, are given back when git has ended. */
function serve(parts: RepositoryParts, { key, packs, shown }: Shown, request: UploadPackRequest): Promise<AsyncIterable<Uint8Array>> {
  const { folders, shownFolders, runner, serving: limits, turns, index } = parts;
  return new Promise((resolve, reject) => {
    const served = turns(() =>
      folders.use(key, { packs, signal: request.signal }, (folder) => {
        const refs = { shown, objectFormat: key.objectFormat, peel: (ids: readonly string[]) => peelObjects(reading(runner, folder), ids) };
        return shownFolders.use(refs, async (refsFolder) => {
          const places = [
            { folder: refsFolder, at: '/repo', access: 'read' },
            { folder: folder.objects, at: '/repo/objects', access: 'read' },
          ] as const;
          const asked = askedFor(request);
          const { body, ended } = await uploadPack({ runner, places, limits }, asked.request);
          resolve(body);
          await ended;
          // Not before: it would take the processor from the answer. And only who asked for objects pays off: refs alone need no bitmap.
          if (asked.forObjects()) index.want(folder, { key, packs, tips: () => commitsOf(reading(runner, folder), [...shown.refs.values()]) });
        });
      }),
    );
    served.catch(reject);
  });
}

async function commitsOf(lookUp: LookUp, objectIds: readonly string[]): Promise<readonly string[]> {
  const peeled = await peelObjects(lookUp, objectIds);
  return [...new Set([...peeled.values()].flatMap(({ objectId, type }) => (type === 'commit' ? [objectId] : [])))];
}

function reading(runner: GitRunner, folder: HeldFolder): LookUp {
  return { runner, places: [{ folder: folder.path, at: '/repo', access: 'read' }] };
}
