import { type KnownRefs, NOTHING_OUTSIDE, readOutside } from '@granary/contract/repository';
import { canonicalJson, type Purl, type StateFact } from '@granary/core/model';
import type { Asked } from './ask-server.ts';
import { outsideOf } from './find-outside.ts';
import { withSubmodules } from './outside-body.ts';
import type { RepositoryLook } from './repository-look.ts';
import type { RepositoryPorts } from './repository-ports.ts';
import { takeOutside } from './take-outside.ts';

export interface SameRefs {
  readonly repository: Purl;
  readonly asked: Asked;
  readonly known: KnownRefs;
  /** What is to be said all the same. */
  readonly presence: readonly StateFact[];
}

/** A look at a repository whose refs are what they were: large files that were missing may be there now. */
export async function lookOutside(ports: RepositoryPorts, { repository, asked, known, presence }: SameRefs, signal?: AbortSignal): Promise<RepositoryLook> {
  const before = outsideOf(known) ?? {};
  const again = before.largeFiles?.missing === undefined ? undefined : await askAgain(ports, { repository, asked, known, presence }, signal);
  const facts = [...presence, ...(again?.fact === undefined ? [] : [again.fact])];
  if (facts.length > 0) await ports.sink.submit(facts);
  const total = facts.length + (again?.facts ?? 0);
  return total === 0 ? { type: 'unchanged' } : { type: 'changed', facts: total, events: [], packBytes: 0 };
}

/** The same document of refs, where what is missing is something else than before. */
async function askAgain(ports: RepositoryPorts, { repository, asked, known }: SameRefs, signal?: AbortSignal) {
  const before = outsideOf(known) ?? {};
  const outside = before.document === undefined ? NOTHING_OUTSIDE : await readOutside(ports.blobs, before.document);
  const taken = await takeOutside(ports, { repository, url: asked.url, outside }, signal);
  const { outside: _, ...body } = known.fact.entry.body;
  const fact: StateFact = { kind: 'observed', subject: repository, prev: known.fact.key, body: { ...body, events: {} } };
  const isSame = canonicalJson({ ...before.largeFiles?.missing }) === canonicalJson({ ...taken.missing });
  return { facts: taken.facts, fact: isSame ? undefined : withSubmodules(fact, taken.body, outside) };
}
