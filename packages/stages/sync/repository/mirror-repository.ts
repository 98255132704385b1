import { JobError, type LocalRepository, RepositoryError, type TakenPack } from '@granary/contract/ports';
import { documentOf, heldPacks, type KnownRefs, readKnownRefs } from '@granary/contract/repository';
import {
  type Ancestry,
  diffRefs,
  eventsOf,
  MAX_WANTS,
  type ObjectFormat,
  type ObjectId,
  parseObjectId,
  type RefEvent,
  type RefListing,
  type RefState,
  refPurl,
} from '@granary/core/git';
import { type Fact, type Purl, type StateFact, sha256, VanishedBody } from '@granary/core/model';
import { type Asked, askForPack, askForRefs } from './ask-server.ts';
import { packFact, presenceFacts, refFacts } from './repository-facts.ts';
import type { RepositoryPorts } from './repository-ports.ts';
import { toJobError } from './to-job-error.ts';

/** What a look at an upstream repository brought. */
export type RepositoryLook =
  | { readonly type: 'unchanged' }
  | { readonly type: 'changed'; readonly facts: number; readonly events: readonly RefEvent[]; readonly packBytes: number }
  /** Upstream has no such repository, now or any more. */
  | { readonly type: 'absent'; readonly facts: number };

const SNAPSHOT_MEDIA_TYPE = 'application/vnd.granary.git-refs+json';
/** Of the history of what upstream threw away: as far back as it is likely to share. */
const MAX_HISTORY = 4096;

/**
 * Looks once at a repository upstream: which refs it has, then all that isn't held of what they reach, in packs that are checked before they are
 * kept; then records both. What upstream threw away stays. Not to be called for one repository while an earlier call's facts aren't
 * sequenced. Throws JobError.
 */
export async function mirrorRepository(ports: RepositoryPorts, repository: Purl, signal?: AbortSignal): Promise<RepositoryLook> {
  const url = ports.addressOf(repository);
  try {
    return await look(ports, { repository, url }, signal);
  } catch (cause) {
    throw toJobError(`mirror ${repository} from ${url}`, cause);
  }
}

interface Target {
  readonly repository: Purl;
  readonly url: string;
}

async function look(ports: RepositoryPorts, { repository, url }: Target, signal?: AbortSignal): Promise<RepositoryLook> {
  const known = await readKnownRefs(ports, repository);
  const asked = await askForRefs(ports, url, signal);
  if (asked === undefined) return await recordAbsence(ports, repository, known);
  const presence = presenceFacts(ports.catalog, repository, 'back');
  if (known !== undefined && isSame(known.state, asked)) {
    if (presence.length > 0) await ports.sink.submit(presence);
    return presence.length === 0 ? { type: 'unchanged' } : { type: 'changed', facts: presence.length, events: [], packBytes: 0 };
  }
  if (known !== undefined && known.state.objectFormat !== asked.server.objectFormat)
    throw new JobError(
      'later',
      `its objects are named by ${asked.server.objectFormat} now, those held by ${known.state.objectFormat}: it is another repository`,
    );
  const { objectFormat } = asked.server;
  const local = await ports.repositories.open(repository, {
    objectFormat,
    packs: heldPacks(ports.catalog, repository),
    ...(signal === undefined ? {} : { signal }),
  });
  const fetched = await fetchMissing(ports, { repository, asked, known, local }, signal);
  const state: RefState = { objectFormat, ...(await peeledByUs(local, asked.listing, objectFormat)) };
  return await record(ports, { repository, asked, known, local, fetched, state, presence });
}

async function recordAbsence({ catalog, sink }: RepositoryPorts, repository: Purl, known: KnownRefs | undefined): Promise<RepositoryLook> {
  const facts = known === undefined ? [] : presenceFacts(catalog, repository, 'gone');
  if (facts.length > 0) await sink.submit(facts);
  return { type: 'absent', facts: facts.length };
}

function isSame({ refs, head, objectFormat }: RefState, { listing, server }: Asked): boolean {
  return objectFormat === server.objectFormat && head === listing.head && diffRefs({ refs }, listing).length === 0;
}

interface Local {
  readonly repository: Purl;
  readonly asked: Asked;
  readonly known: KnownRefs | undefined;
  readonly local: LocalRepository;
}

/** What is on record of packs that this look brought. */
interface Fetched {
  readonly facts: number;
  readonly packBytes: number;
}

/** In as few packs as the protocol allows: mostly one, none where only names changed. */
async function fetchMissing(ports: RepositoryPorts, { repository, asked, known, local }: Local, signal?: AbortSignal): Promise<Fetched> {
  const tips = [...new Set(asked.listing.refs.values())];
  const held = await local.having(tips);
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
    // At once: what comes after may go wrong, and nobody would ask again for objects that are here.
    await ports.sink.submit([packFact(repository, taken, await keepFindings(ports, taken))]);
    facts += 1;
    packBytes += taken.sizeBytes;
  }
  return { facts, packBytes };
}

/** Upstream may no longer know what its refs were: then it is told what came before. */
async function namedAsHeld(local: LocalRepository, { refs, objectFormat }: RefState, listed: ReadonlySet<ObjectId>): Promise<readonly ObjectId[]> {
  const before = [...new Set(refs.values())];
  const dropped = before.filter((id) => !listed.has(id));
  const history = dropped.length === 0 ? [] : await local.history(dropped, MAX_HISTORY);
  const ids = history.flatMap((text) => parseObjectId(text, objectFormat) ?? []);
  return [...new Set([...ids, ...before.filter((id) => listed.has(id)), ...dropped])];
}

/** What tags come to, as the objects say that we hold: a server may say anything. */
async function peeledByUs(local: LocalRepository, { refs, head }: RefListing, objectFormat: ObjectFormat): Promise<RefListing> {
  const found = await local.peel([...new Set(refs.values())]);
  const peeled = new Map<string, ObjectId>();
  for (const [name, id] of refs) {
    const target = found.get(id);
    if (target === undefined) throw new RepositoryError('incomplete', `${name} names ${id}, which isn't here`);
    const targetId = parseObjectId(target.objectId, objectFormat);
    if (targetId !== undefined && targetId !== id) peeled.set(name, targetId);
  }
  return { refs, peeled, ...(head === undefined ? {} : { head }) };
}

interface Seen extends Local {
  readonly fetched: Fetched;
  readonly state: RefState;
  readonly presence: readonly StateFact[];
}

async function record(ports: RepositoryPorts, seen: Seen): Promise<RepositoryLook> {
  const { catalog, blobs, sink } = ports;
  const { repository, asked, known, fetched, state, presence } = seen;
  const bytes = documentOf(known, state);
  const events = await eventsSince(catalog, seen);
  const document = sha256(bytes);
  const observed: StateFact = {
    kind: 'observed',
    subject: repository,
    body: { document, sizeBytes: bytes.length, mediaType: SNAPSHOT_MEDIA_TYPE, url: asked.url, events: countsOf(events) },
    ...(known === undefined ? {} : { prev: known.fact.key }),
  };
  await blobs.put(bytes, { maxBytes: bytes.length });
  const facts: readonly Fact[] = [...presence, ...refFacts(catalog, repository, document, events), observed];
  await sink.submit(facts);
  return { type: 'changed', facts: fetched.facts + facts.length, events, packBytes: fetched.packBytes };
}

/** The first look finds everything, and nothing happened. */
async function eventsSince(catalog: RepositoryPorts['catalog'], { repository, known, local, state }: Seen): Promise<readonly RefEvent[]> {
  if (known === undefined) return [];
  const changes = diffRefs(known.state, state);
  const moved = changes.flatMap((change) =>
    change.type === 'changed' && !change.ref.startsWith('refs/tags/') ? [{ before: change.from, after: change.to }] : [],
  );
  const continued = await local.areAncestors(moved);
  const forced = new Set(moved.flatMap(({ before, after }, at) => (continued[at] === true ? [] : [`${before} ${after}`])));
  const ancestry: Ancestry = {
    continues: (from, to) => !forced.has(`${from} ${to}`),
    wasGone(ref) {
      const fact = catalog.current('vanished', refPurl(repository, ref));
      return fact !== undefined && VanishedBody.parse(fact.entry.body).state === 'gone';
    },
  };
  return eventsOf(changes, ancestry);
}

function countsOf(events: readonly RefEvent[]): Readonly<Record<string, number>> {
  const counts = Map.groupBy(events, ({ event }) => event);
  return Object.fromEntries([...counts].map(([event, { length }]) => [event, length]).sort());
}

async function keepFindings({ blobs }: RepositoryPorts, { findings, findingsTotal }: TakenPack) {
  if (findingsTotal === 0) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify({ granary: 1, type: 'fsck', total: findingsTotal, findings }));
  return (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
}
