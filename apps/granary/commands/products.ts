import type { Config } from '@granary/config';
import { type Closure, type ClosureSize, closureSize, decodeClosure, overQuota } from '@granary/contract/ecosystem';
import type { CatalogFact } from '@granary/contract/ports';
import { type Artifact, WantedBody, WatchedBody } from '@granary/core/model';
import { readFailures } from '@granary/driver-queue-bullmq';
import { systemClock } from '@granary/driver-queue-memory';
import { ecosystems } from '@granary/ecosystems';
import { dataPaths } from '../roles/data-paths.ts';
import { type FailureNote, readFailureNotes, subjectOf } from '../roles/failure-notes.ts';
import type { SiteReader } from '../roles/site-reader.ts';
import { type InstallStanding, readInstalls } from './install-standing.ts';
import { missingLargeFiles, type OutsideStanding, outsideStanding } from './outside-standing.ts';

const MAX_CLOSURE_BYTES = 64 * 2 ** 20;

/** A watched specification, and whether an install of it needs nobody else. */
export interface Product extends ClosureSize {
  readonly specification: string;
  /** Everything that it comes to is stored, it comes to nothing that can't be had here, and an install of it was seen to need nobody else. */
  readonly complete: boolean;
  /** What isn't stored and why, one line each: what can't be had, what failed, what is still to be fetched. */
  readonly missing: readonly string[];
  /** Files that are wanted and not stored, by purl. */
  readonly notStored: readonly string[];
  readonly quotaBytes: number | null;
  /** By ecosystem whose packages may run code when they are installed. */
  readonly installs: readonly InstallStanding[];
  /** Of repositories: what their trees name in other repositories. A product is complete without it. */
  readonly submodules: SubmoduleStanding;
}
interface SubmoduleStanding {
  readonly held: number;
  /** With the reason of each, one line each; and what can't be followed. */
  readonly notHeld: readonly string[];
}
export interface Products {
  readonly products: readonly Product[];
  readonly requested: readonly string[];
  /** Every artifact that the products come to. */
  readonly wanted: readonly Artifact[];
}

/** Reads what every watched specification comes to, and how much of it is there. */
export async function readProducts(config: Config, { catalog, privateStore }: SiteReader): Promise<Products> {
  const failures = await readNotes(config);
  const wanted = new Map<string, Artifact>();
  const products: Product[] = [];
  const requested: string[] = [];
  for (const fact of catalog.all('watched')) {
    const { state, quotaBytes } = WatchedBody.parse(fact.entry.body);
    if (state === 'requested') requested.push(fact.entry.subject);
    if (state !== 'active') continue;
    const wantedFact = catalog.current('wanted', fact.entry.subject);
    const bytes = wantedFact === undefined ? undefined : await privateStore.blobs.read(WantedBody.parse(wantedFact.entry.body).manifest, MAX_CLOSURE_BYTES);
    const closure = bytes === undefined ? undefined : decodeClosure(bytes);
    for (const artifact of closure?.artifacts ?? []) wanted.set(artifact.purl, artifact);
    const failure = failures.get(fact.entry.subject);
    const ports = { catalog, privateBlobs: privateStore.blobs, ecosystems, failure: failure === undefined ? undefined : textOf(failure) };
    const installs = closure === undefined ? [] : await readInstalls(ports, fact, closure);
    products.push(productOf({ catalog, fact, closure, quotaBytes, failures, installs }));
  }
  return { products, requested, wanted: [...wanted.values()] };
}

interface ProductParts {
  readonly catalog: SiteReader['catalog'];
  readonly fact: CatalogFact;
  readonly closure: Closure | undefined;
  readonly quotaBytes: number | undefined;
  readonly failures: ReadonlyMap<string, FailureNote>;
  readonly installs: readonly InstallStanding[];
}

function productOf({ catalog, fact, closure, quotaBytes, failures, installs }: ProductParts): Product {
  const specification = fact.entry.subject;
  const artifacts = closure?.artifacts ?? [];
  const size = closureSize(catalog, artifacts);
  const notStored = artifacts.filter(({ purl }) => catalog.current('stored', purl) === undefined).map(({ purl }) => purl);
  const failed = failures.get(specification);
  const isOfNow = closure?.watched === fact.key;
  const over = overQuota(size, quotaBytes);
  const outside = (closure?.repositories ?? []).map((repository) => ({ repository, ...outsideStanding(catalog, repository) }));
  const notMirrored = closure?.repositories.filter((repository) => catalog.current('observed', repository) === undefined) ?? [];
  const missing = [
    ...(isOfNow ? [] : [failed === undefined ? 'not resolved yet' : `not resolved: ${textOf(failed)}`]),
    ...(closure?.missing ?? []),
    ...(over === undefined ? [] : [over]),
    ...reasonsOf(notStored, failures),
    ...notMirrored.map((repository) => `${repository}: ${reasonOf(failures.get(repository), 'still to be mirrored')}`),
    ...outside.flatMap(({ repository, largeFiles }) => missingLargeFiles(repository, largeFiles)),
    ...installs.flatMap(({ why }) => why),
  ];
  const complete = isOfNow && missing.length === 0;
  return { specification, ...size, complete, missing, notStored, quotaBytes: quotaBytes ?? null, installs, submodules: submoduleStanding(outside, failures) };
}

function submoduleStanding(outside: readonly OutsideStanding[], failures: ProductParts['failures']): SubmoduleStanding {
  const named = new Map(outside.flatMap(({ submodules }) => submodules).map((submodule) => [submodule.repository, submodule]));
  const notHeld = [...named.values()].filter(({ held }) => !held);
  return {
    held: named.size - notHeld.length,
    notHeld: [
      ...notHeld.map(({ repository }) => `${repository}: ${reasonOf(failures.get(repository), 'still to be mirrored')}`),
      ...outside.flatMap(({ notCovered }) => notCovered),
    ],
  };
}

/** What failed by name, the rest by number: a thousand files that wait their turn are one line. */
function reasonsOf(notStored: readonly string[], failures: ReadonlyMap<string, FailureNote>): readonly string[] {
  const failureOf = (purl: string) => failures.get(purl) ?? failures.get(purl.split('@', 1)[0] ?? purl);
  const failed = notStored.flatMap((purl) => {
    const note = failureOf(purl);
    return note === undefined ? [] : [`${purl}: ${textOf(note)}`];
  });
  const waiting = notStored.length - failed.length;
  return [...failed, ...(waiting === 0 ? [] : [`${waiting} files are still to be fetched`])];
}

function reasonOf(note: FailureNote | undefined, otherwise: string): string {
  return note === undefined ? otherwise : textOf(note);
}

function textOf({ error, retryAt }: FailureNote): string {
  return retryAt === undefined ? error : `${error} (tried again after ${retryAt})`;
}

async function readNotes(config: Config): Promise<ReadonlyMap<string, FailureNote>> {
  const { queue } = config;
  if (queue.type === 'process') return bySubject(await readFailureNotes(dataPaths(config).failures));
  const events = await readFailures({ ...queue, clock: systemClock() });
  return bySubject(
    events.flatMap((event) => {
      const subject = subjectOf(event.job.payload);
      if (subject === undefined || (event.type !== 'gave-up' && event.type !== 'retrying')) return [];
      return [{ subject, error: event.error.message, ...(event.type === 'retrying' ? { retryAt: event.at } : {}) }];
    }),
  );
}

function bySubject(notes: readonly FailureNote[]): ReadonlyMap<string, FailureNote> {
  return new Map(notes.map((note) => [note.subject, note]));
}
