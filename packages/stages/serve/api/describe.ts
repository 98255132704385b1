import type { CatalogFact } from '@granary/contract/ports';
import { LocatedBody, type Purl, packageOf, parseSha256, RebuiltBody, releaseOf, type Sha256 } from '@granary/core/model';
import type { HeldFile, Holding } from '../holding.ts';
import { countBy } from '../overview.ts';
import { meets } from '../policy.ts';
import type { ServePorts } from '../serve-ports.ts';
import type { ArtifactDocument, PackageDocument, ReleaseDocument } from './schemas.ts';

/** Kinds of the public ledger that speak of an artifact. */
const ARTIFACT_KINDS = ['stored', 'vanished', 'quarantined', 'released', 'located', 'rebuilt', 'compared', 'verdict', 'attested'] as const;

/** Everything that is recorded of a held file, in the form of the interface. */
export function describeArtifact(ports: ServePorts, file: HeldFile): ArtifactDocument {
  const { stored, verdict } = file;
  const answer = meets(file, ports.site.policy, ports.clock.now());
  const vanished = file.vanished.at(-1);
  return {
    purl: file.purl,
    fileName: file.fileName,
    sha256: file.sha256,
    sizeBytes: file.sizeBytes,
    url: `/${ecosystemOf(file.purl)}/${file.path}`,
    storedAt: file.storedAt,
    evidence: stored.evidence.map((item) => ({ ...item })),
    verdict: verdict?.verdict ?? 'pending',
    meetsPolicy: answer.met,
    facts: factsOf(ports, file),
    // Members that are undefined are left out of the JSON.
    publishedAt: file.publishedAt,
    licence: stored.licence,
    quarantine: file.quarantine,
    log: logOf(ports, file),
    rung: verdict?.rung,
    sourceTier: verdict?.tier,
    failureClass: verdict?.failureClass,
    cause: verdict?.cause,
    source: commitOf(ports, file),
    findings: verdict?.findings,
    definition: verdict?.definition,
    rebuilt: verdict?.rebuilt,
    comparison: verdict?.comparison,
    ...(vanished === undefined ? {} : { vanished: { state: vanished.state, at: vanished.at } }),
    ...(answer.met ? {} : { policyProblem: answer.why }),
  };
}

/** Undefined when nothing of the release is held. */
export function describeRelease(ports: ServePorts, holding: Holding, release: Purl): ReleaseDocument | undefined {
  const files = holding.files.filter(({ purl }) => releaseOf(purl) === release);
  return files.length === 0 ? undefined : { purl: release, artifacts: files.map((file) => describeArtifact(ports, file)) };
}

export function describePackage(holding: Holding): PackageDocument | undefined {
  if (holding.files.length === 0) return undefined;
  const releases = Map.groupBy(holding.files, ({ purl }) => releaseOf(purl) ?? purl);
  return {
    purl: holding.package,
    releases: [...releases].map(([purl, files]) => ({
      purl,
      artifacts: files.length,
      verdicts: countBy(files, ({ verdict }) => verdict?.verdict ?? 'pending'),
    })),
  };
}

function factsOf({ catalog }: ServePorts, { purl }: HeldFile): ArtifactDocument['facts'] {
  const packagePurl = packageOf(purl);
  const about = ({ entry }: CatalogFact) => entry.subject === purl || entry.subject === releaseOf(purl) || entry.subject === packagePurl;
  return ARTIFACT_KINDS.flatMap((kind) => catalog.ofPackage(kind, packagePurl, { history: true }).filter(about)).map(({ origin, index, key, entry }) => ({
    origin,
    index,
    kind: entry.kind,
    key,
    at: entry.at,
    author: entry.author,
  }));
}

function commitOf({ catalog }: ServePorts, { purl }: HeldFile): ArtifactDocument['source'] {
  const located = catalog.current('located', purl);
  const source = located === undefined ? undefined : LocatedBody.safeParse(located.entry.body).data?.source;
  if (source?.kind !== 'commit') return undefined;
  const { repository, commit, directory, ref } = source;
  return { repository, commit, ...(directory === undefined ? {} : { directory }), ...(ref === undefined ? {} : { ref }) };
}

/** Of the newest build of this file. */
function logOf({ catalog }: ServePorts, { purl }: HeldFile): Sha256 | undefined {
  const builds = catalog.ofPackage('rebuilt', packageOf(purl)).filter(({ entry }) => entry.subject === purl);
  const log = builds.map(({ entry }) => RebuiltBody.safeParse(entry.body).data?.run?.log).findLast((digest) => digest !== undefined);
  return log === undefined ? undefined : parseSha256(log);
}

function ecosystemOf(purl: Purl): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}
