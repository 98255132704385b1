import type { Catalog, CatalogFact } from '@granary/contract/ports';
import { fileNameOf, type Instant, type Purl, purlParts, releaseOf, type Sha256, StoredBody, toPurl, VanishedBody, VerdictBody } from '@granary/core/model';

/** One file that we hold, with what the facts say about it. */
export interface HeldFile {
  readonly purl: Purl;
  readonly fileName: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly path: string;
  readonly publishedAt?: Instant;
  readonly storedAt: Instant;
  readonly stored: StoredBody;
  readonly verdict?: VerdictBody;
  /** What upstream did to it, oldest first. */
  readonly vanished: readonly { readonly state: VanishedBody['state']; readonly at: Instant; readonly index: number }[];
  /** Why it is refused in every view. */
  readonly quarantine?: string;
}

/** What we hold of one package, to the knowledge of a ledger size: facts only, no documents. */
export interface Holding {
  readonly package: Purl;
  /** `pypi/click`, as refusals name it. */
  readonly label: string;
  readonly files: readonly HeldFile[];
  readonly byPath: ReadonlyMap<string, HeldFile>;
  /** When the package as a whole is quarantined. */
  readonly quarantine?: string;
  /** Reasons by subject, also of what isn't held. */
  readonly quarantines: ReadonlyMap<string, string>;
}

/** Why a release or file of the package is refused, held or not. */
export function quarantineOf({ package: packagePurl, quarantines }: Holding, purl: Purl): string | undefined {
  return quarantines.get(purl) ?? quarantines.get(releaseOf(purl) ?? '') ?? quarantines.get(packagePurl);
}

export function readHolding(catalog: Catalog, packagePurl: Purl, at: { readonly size?: number } = {}): Holding {
  // Most packages that are asked for while a mirror is filled: there is nothing to look for.
  if (catalog.revisionOf(packagePurl) === 0) return { package: packagePurl, label: labelOf(packagePurl), files: [], byPath: new Map(), quarantines: new Map() };
  const quarantines = readQuarantines(catalog, packagePurl, at);
  const vanished = Map.groupBy(catalog.ofPackage('vanished', packagePurl, { ...at, history: true }), ({ entry }) => entry.subject);
  const verdicts = readVerdicts(catalog, packagePurl, at);
  const stored = catalog
    .ofPackage('stored', packagePurl, at)
    .map((fact) => ({ fact, purl: toPurl(fact.entry.subject), body: StoredBody.parse(fact.entry.body) }));
  const published = new Map(stored.flatMap(({ purl, body: { publishedAt } }) => (publishedAt === undefined ? [] : [[releaseOf(purl), publishedAt] as const])));
  const files = stored.map((file) =>
    heldFile(file, { verdicts, quarantines, vanished: vanished.get(file.purl) ?? [], publishedAt: published.get(releaseOf(file.purl)) }),
  );
  const quarantine = quarantines.get(packagePurl);
  return {
    package: packagePurl,
    label: labelOf(packagePurl),
    files,
    byPath: new Map(files.map((file) => [file.path, file])),
    quarantines,
    ...(quarantine === undefined ? {} : { quarantine }),
  };
}

/** `pypi/click 8.1.7`: short, and without anything that a status line can't hold. */
export function labelOf(purl: Purl): string {
  const { type, namespace, name, version } = purlParts(purl);
  return `${type}/${namespace === undefined ? '' : `${namespace}/`}${name}${version === undefined ? '' : ` ${version}`}`;
}

interface Surroundings {
  readonly verdicts: ReadonlyMap<Sha256, VerdictBody>;
  readonly quarantines: ReadonlyMap<string, string>;
  readonly vanished: readonly CatalogFact[];
  /** Of the release: in some ecosystems only one of its files tells. */
  readonly publishedAt: Instant | undefined;
}
interface StoredFile {
  readonly fact: CatalogFact;
  readonly purl: Purl;
  readonly body: StoredBody;
}

function heldFile({ fact, purl, body: stored }: StoredFile, { verdicts, quarantines, vanished, publishedAt: ofRelease }: Surroundings): HeldFile {
  const { sha256, sizeBytes, path, publishedAt = ofRelease } = stored;
  const verdict = verdicts.get(sha256);
  const quarantine = quarantines.get(purl) ?? quarantines.get(releaseOf(purl) ?? '');
  return {
    purl,
    fileName: fileNameOf(purl) ?? '',
    sha256,
    sizeBytes,
    path,
    stored,
    storedAt: fact.entry.at,
    vanished: vanished.map(({ entry, index }) => ({ state: VanishedBody.parse(entry.body).state, at: entry.at, index })),
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(quarantine === undefined ? {} : { quarantine }),
  };
}

/** The newest verdict on each digest. */
function readVerdicts(catalog: Catalog, packagePurl: Purl, at: { readonly size?: number }): ReadonlyMap<Sha256, VerdictBody> {
  return new Map(
    catalog.ofPackage('verdict', packagePurl, at).map(({ entry }) => {
      const body = VerdictBody.parse(entry.body);
      return [body.sha256, body];
    }),
  );
}

/** Reasons by subject: a package, a release or a file, unless it was released since. */
function readQuarantines(catalog: Catalog, packagePurl: Purl, at: { readonly size?: number }): ReadonlyMap<string, string> {
  const released = new Map(catalog.ofPackage('released', packagePurl, at).map((fact) => [fact.entry.subject, fact.index]));
  const standing = catalog.ofPackage('quarantined', packagePurl, at).filter((fact) => (released.get(fact.entry.subject) ?? -1) < fact.index);
  return new Map(standing.map(({ entry }) => [entry.subject, typeof entry.body['reason'] === 'string' ? entry.body['reason'] : 'no reason given']));
}
