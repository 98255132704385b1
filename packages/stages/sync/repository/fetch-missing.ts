import type { LocalRepository, TakenPack } from '@granary/contract/ports';
import { heldPacks, type KnownRefs } from '@granary/contract/repository';
import { MAX_WANTS, type ObjectId, parseObjectId, type RefState } from '@granary/core/git';
import type { Purl } from '@granary/core/model';
import { type Asked, askForPack } from './ask-server.ts';
import { objectsOnRecord } from './objects-on-record.ts';
import { packFact } from './repository-facts.ts';
import type { RepositoryPorts } from './repository-ports.ts';

/** Of the history of what upstream threw away: as far back as it is likely to share. */
const MAX_HISTORY = 4096;

export interface Local {
  readonly repository: Purl;
  readonly asked: Asked;
  readonly known: KnownRefs | undefined;
  readonly local: LocalRepository;
}

/** What this look put on record of packs. */
export interface Fetched {
  readonly facts: number;
  readonly packBytes: number;
}

/** Takes in all that the listed refs reach and isn't held. In as few packs as the protocol allows: mostly one, none where only names changed. */
export async function fetchMissing(ports: RepositoryPorts, { repository, asked, known, local }: Local, signal?: AbortSignal): Promise<Fetched> {
  const tips = [...new Set(asked.listing.refs.values())];
  const held = await heldForGood(ports, { repository, known, local }, tips);
  const missing = tips.filter((tip) => !held.has(tip));
  const haves = known === undefined || missing.length === 0 ? [] : await namedAsHeld(local, known.state, new Set(tips));
  let facts = 0;
  let packBytes = 0;
  for (let at = 0; at < missing.length; at += MAX_WANTS) {
    const wants = missing.slice(at, at + MAX_WANTS);
    const wish = { wants, haves: [...haves, ...missing.slice(0, at)], pack: 'thin' } as const;
    const { maxBytes, timeoutMs, stallMs } = ports.limits;
    const pack = askForPack(ports, asked, wish, { maxBytes, stallMs, signal });
    const taken = await local.take(pack, wants, { maxBytes, timeoutMs, ...(signal === undefined ? {} : { signal }) });
    // At once: what comes after may go wrong, and this needn't come again.
    await ports.sink.submit([packFact(repository, taken, await keepFindings(ports, taken))]);
    facts += 1;
    packBytes += taken.sizeBytes;
  }
  return { facts, packBytes };
}

/** Those that are here, and in the store by packs on record: the folder may hold more, and may be deleted at any time. */
async function heldForGood(
  { blobs, catalog }: RepositoryPorts,
  { repository, known, local }: Omit<Local, 'asked'>,
  tips: readonly ObjectId[],
): Promise<ReadonlySet<ObjectId>> {
  const here = await local.having(tips);
  const before = new Set(known?.state.refs.values());
  const [named, others] = [tips.filter((tip) => here.has(tip) && before.has(tip)), tips.filter((tip) => here.has(tip) && !before.has(tip))];
  return new Set([...named, ...(await objectsOnRecord({ blobs }, heldPacks(catalog, repository), others))]);
}

/** Upstream may no longer know what its refs were: then it is told what came before. */
async function namedAsHeld(local: LocalRepository, { refs, objectFormat }: RefState, listed: ReadonlySet<ObjectId>): Promise<readonly ObjectId[]> {
  const before = [...new Set(refs.values())];
  const dropped = before.filter((id) => !listed.has(id));
  const history = dropped.length === 0 ? [] : await local.history(dropped, MAX_HISTORY);
  const ids = history.flatMap((text) => parseObjectId(text, objectFormat) ?? []);
  return [...new Set([...ids, ...before.filter((id) => listed.has(id)), ...dropped])];
}

async function keepFindings({ blobs }: RepositoryPorts, { findings, findingsTotal }: TakenPack) {
  if (findingsTotal === 0) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify({ granary: 1, type: 'fsck', total: findingsTotal, findings }));
  return (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
}
