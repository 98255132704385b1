import type { Closure, LockedPin } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { type Artifact, digestsAgree, formatPurl, type Purl, purlParts, releaseOf, type Sha256 } from '@granary/core/model';
import picomatch from 'picomatch';
import type { DemandedEcosystem } from './demand-ports.ts';
import type { EcosystemWish, Wishes } from './read-wishes.ts';

/** Documents asked for at a time: a lock of a thousand packages asks for as many. */
const PINS_AT_ONCE = 16;

/** What wishes come to, before anybody says whose they are. */
export type PartialClosure = Omit<Closure, 'watched'>;

type ClosureOfWish = Omit<PartialClosure, 'repositories'>;

/** Asks upstream what there is of every wish. Throws JobError `later` when requirements can't be met, `never` when they name a version that isn't there. */
export async function closureOfWishes(
  { wishes, notCovered, repositories }: Wishes<DemandedEcosystem>,
  narrowedTo: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<PartialClosure> {
  const parts: ClosureOfWish[] = [];
  for (const wish of wishes) parts.push(await closureOfWish(wish, narrowedTo, signal));
  return {
    artifacts: parts.flatMap(({ artifacts }) => artifacts),
    basis: Object.assign({}, ...parts.map(({ basis }) => basis)),
    missing: [...new Set([...parts.flatMap(({ missing }) => missing), ...notCovered])].sort(),
    repositories,
  };
}

async function closureOfWish(
  { of, wish }: EcosystemWish<DemandedEcosystem>,
  narrowedTo: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<ClosureOfWish> {
  if (wish.type === 'pins') {
    const closure = await closureOfPins(of, wish.pins, narrowedTo);
    return { ...closure, missing: [...closure.missing, ...(wish.notCovered ?? [])] };
  }
  const resolution = await of.resolve(wish.requirements, signal);
  if (!resolution.ok)
    throw new JobError(resolution.why === 'no-such-version' ? 'never' : 'later', `resolve ${wish.label}: ${resolution.why}: ${resolution.detail}`);
  const pins = resolution.pins.map((pin) => ({ ...pin, digests: [] }));
  const closure = await closureOfPins(of, pins, narrowedTo);
  return { ...closure, missing: [...closure.missing, ...(resolution.notCovered ?? [])] };
}

/** All files of each pinned version, unless narrowed; a locked digest that upstream no longer lists is said. */
async function closureOfPins(of: DemandedEcosystem, pins: readonly LockedPin[], narrowedTo: readonly string[] | undefined): Promise<ClosureOfWish> {
  const isWanted = narrowedTo === undefined ? () => true : picomatch([...narrowedTo]);
  const artifacts = new Map<Purl, Artifact>();
  const basis: Record<string, Sha256> = {};
  const missing: string[] = [];
  for (let at = 0; at < pins.length; at += PINS_AT_ONCE) {
    const found = await Promise.all(pins.slice(at, at + PINS_AT_ONCE).map(async (pin) => await filesOfPin(of, pin)));
    for (const one of found) {
      for (const artifact of one.files) if (isWanted(artifact.fileName)) artifacts.set(artifact.purl, artifact);
      if (one.document !== undefined) basis[one.packagePurl] = one.document;
      missing.push(...one.missing);
    }
  }
  return { artifacts: [...artifacts.values()], basis, missing };
}

interface FilesOfPin {
  readonly packagePurl: Purl;
  readonly document?: Sha256;
  readonly files: readonly Artifact[];
  readonly missing: readonly string[];
}

async function filesOfPin({ ecosystem, upstreamBase, current }: DemandedEcosystem, pin: LockedPin): Promise<FilesOfPin> {
  const packagePurl = ecosystem.demand.packageOfPin(pin);
  const found = await current(packagePurl);
  const named = formatPurl({ ...purlParts(packagePurl), version: pin.version });
  const listed = found?.document.artifacts.filter(({ purl }) => releaseOf(purl) === named) ?? [];
  const ofVersion = listed.length > 0 ? listed : (ecosystem.index.unlisted?.(upstreamBase, packagePurl, pin.version) ?? []);
  const basis = found === undefined ? {} : { document: found.sha256 };
  if (ofVersion.length === 0) {
    const why = found === undefined ? `${packagePurl}: upstream doesn't have it` : `${packagePurl}@${pin.version}: upstream doesn't have this version`;
    return { packagePurl, ...basis, files: [], missing: [why] };
  }
  const release = `${packagePurl}@${pin.version}`;
  const missing = pin.digests
    .filter((digests) => ofVersion.every((file) => digestsAgree(file.digests, digests) === false))
    .map((digests) => `${release}: upstream has no file of ${Object.entries(digests).flat().join(' ')}`);
  const unlisted = (pin.files ?? []).filter(({ fileName }) => !ofVersion.some((file) => file.fileName === fileName));
  const gone = unlisted.map(({ fileName }) => `${release}: upstream has no ${fileName}`);
  return { packagePurl, ...basis, files: chosenFiles(pin, ofVersion), missing: [...missing, ...gone] };
}

/** What the lock says of a file counts beside what upstream says: both are checked when it is fetched. */
function chosenFiles(pin: LockedPin, ofVersion: readonly Artifact[]): readonly Artifact[] {
  if (pin.files === undefined) return ofVersion.map((file) => plain(file));
  return pin.files.flatMap(({ fileName, digests }) => {
    const file = ofVersion.find((candidate) => candidate.fileName === fileName);
    return file === undefined ? [] : [plain({ ...file, digests: { ...digests, ...file.digests } })];
  });
}

/** Without what only upstream's index knows of it. */
function plain({ purl, fileName, digests, path, sizeBytes, publishedAt }: Artifact): Artifact {
  return { purl, fileName, digests, path, ...(sizeBytes === undefined ? {} : { sizeBytes }), ...(publishedAt === undefined ? {} : { publishedAt }) };
}
