import { JobError, type LocalRepository, RepositoryError } from '@granary/contract/ports';
import { documentOf, heldPacks, type KnownRefs, readKnownRefs } from '@granary/contract/repository';
import {
  type Ancestry,
  diffRefs,
  eventsOf,
  type ObjectFormat,
  type ObjectId,
  parseObjectId,
  type RefEvent,
  type RefListing,
  type RefState,
  refPurl,
} from '@granary/core/git';
import { type Fact, type Purl, type StateFact, sha256, VanishedBody } from '@granary/core/model';
import { type Asked, askForRefs } from './ask-server.ts';
import { type Fetched, fetchMissing, type Local } from './fetch-missing.ts';
import { findOutside, outsideOf } from './find-outside.ts';
import { lookOutside } from './look-outside.ts';
import { withSubmodules } from './outside-body.ts';
import { presenceFacts, refFacts } from './repository-facts.ts';
import type { RepositoryLook } from './repository-look.ts';
import type { RepositoryPorts } from './repository-ports.ts';
import { type TakenOutside, takeOutside } from './take-outside.ts';
import { toJobError } from './to-job-error.ts';

const SNAPSHOT_MEDIA_TYPE = 'application/vnd.granary.git-refs+json';

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
  // Where nobody looked for what lies outside, that is to be done, whatever else there is.
  if (known !== undefined && outsideOf(known) !== undefined && isSame(known.state, asked))
    return await lookOutside(ports, { repository, asked, known, presence }, signal);
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
  const outside = await takeOutside(ports, { repository, url: asked.url, outside: await findOutside(ports, { repository, local, known, state }) }, signal);
  return await record(ports, { repository, asked, known, local, fetched, state, presence, outside });
}

async function recordAbsence({ catalog, sink }: RepositoryPorts, repository: Purl, known: KnownRefs | undefined): Promise<RepositoryLook> {
  const facts = known === undefined ? [] : presenceFacts(catalog, repository, 'gone');
  if (facts.length > 0) await sink.submit(facts);
  return { type: 'absent', facts: facts.length };
}

function isSame({ refs, head, objectFormat }: RefState, { listing, server }: Asked): boolean {
  return objectFormat === server.objectFormat && head === listing.head && diffRefs({ refs }, listing).length === 0;
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
  readonly outside: TakenOutside;
  readonly fetched: Fetched;
  readonly state: RefState;
  readonly presence: readonly StateFact[];
}

async function record(ports: RepositoryPorts, seen: Seen): Promise<RepositoryLook> {
  const { catalog, blobs, sink } = ports;
  const { repository, asked, known, fetched, state, presence, outside } = seen;
  const bytes = documentOf(known, state);
  const events = await eventsSince(catalog, seen);
  const document = sha256(bytes);
  const seenNow: StateFact = {
    kind: 'observed',
    subject: repository,
    body: { document, sizeBytes: bytes.length, mediaType: SNAPSHOT_MEDIA_TYPE, url: asked.url, events: countsOf(events) },
    ...(known === undefined ? {} : { prev: known.fact.key }),
  };
  const observed = withSubmodules(seenNow, outside.body, outside.outside);
  await blobs.put(bytes, { maxBytes: bytes.length });
  const facts: readonly Fact[] = [...presence, ...refFacts(catalog, repository, document, events), observed];
  await sink.submit(facts);
  return { type: 'changed', facts: fetched.facts + outside.facts + facts.length, events, packBytes: fetched.packBytes };
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
