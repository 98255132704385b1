import type { Catalog, CatalogFact, TakenPack } from '@granary/contract/ports';
import { FINDINGS_COMPANION, INDEX_COMPANION, largeFileName, largeFilePurl } from '@granary/contract/repository';
import { type RefEvent, refPurl } from '@granary/core/git';
import type { LargeFile } from '@granary/core/lfs';
import { type ComputedFact, formatPurl, type Purl, purlParts, type Sha256, type StateFact, VanishedBody } from '@granary/core/model';

/** What one look has to say of single refs, at most: the snapshots hold them all. */
const MAX_REF_FACTS = 10_000;

/** A pack is a file of its repository that belongs to no release. */
export function packFact(repository: Purl, { pack, index, sizeBytes, findingsTotal }: TakenPack, findings: Sha256 | undefined): ComputedFact {
  const { type, namespace, name } = purlParts(repository);
  const fileName = `pack-${pack}.pack`;
  return {
    kind: 'stored',
    subject: formatPurl({ type, name, fileName, ...(namespace === undefined ? {} : { namespace }) }),
    inputs: [pack],
    body: {
      sha256: pack,
      sizeBytes,
      path: fileName,
      companions: { [INDEX_COMPANION]: index, ...(findings === undefined ? {} : { [FINDINGS_COMPANION]: findings }) },
      evidence: [
        { state: 'checked', check: 'git-object-ids' },
        { state: 'checked', check: 'git-connectivity' },
        { state: 'checked', check: findingsTotal === 0 ? 'git-fsck' : 'git-fsck-but-for-old-habits' },
      ],
      support: true,
    },
  };
}

/** A large file is a file of its repository as a pack is. */
export function largeFileFact(repository: Purl, { oid, sizeBytes }: LargeFile): ComputedFact {
  return {
    kind: 'stored',
    subject: largeFilePurl(repository, oid),
    inputs: [oid],
    body: { sha256: oid, sizeBytes, path: largeFileName(oid), evidence: [{ state: 'checked', check: 'lfs-oid' }], support: true },
  };
}

/** One fact per ref that no longer names what it did, or names something again. */
export function refFacts(catalog: Pick<Catalog, 'current'>, repository: Purl, document: Sha256, events: readonly RefEvent[]): readonly StateFact[] {
  return events
    .flatMap((event): readonly StateFact[] => {
      const state = stateOf(event);
      if (state === undefined) return [];
      const subject = refPurl(repository, event.ref);
      const known = catalog.current('vanished', subject);
      const named = { ...('from' in event ? { from: event.from } : {}), ...('to' in event ? { to: event.to } : {}) };
      return [{ kind: 'vanished', subject, body: { state, document, ...named }, ...(known === undefined ? {} : { prev: known.key }) }];
    })
    .slice(0, MAX_REF_FACTS);
}

function stateOf({ event }: RefEvent): VanishedBody['state'] | undefined {
  switch (event) {
    case 'deleted':
      return 'gone';
    case 'forced':
    case 'tag-moved':
      return 'replaced';
    case 'back':
      return 'back';
    case 'created':
    case 'advanced':
      return undefined;
  }
}

/** That the whole repository is gone, or there again; nothing where that is on record. */
export function presenceFacts(catalog: Pick<Catalog, 'current'>, repository: Purl, state: 'gone' | 'back'): readonly StateFact[] {
  const known: CatalogFact | undefined = catalog.current('vanished', repository);
  const was = known === undefined ? 'back' : VanishedBody.parse(known.entry.body).state;
  if (was === state) return [];
  return [{ kind: 'vanished', subject: repository, body: { state }, ...(known === undefined ? {} : { prev: known.key }) }];
}
