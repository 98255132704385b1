import { type Closure, type Ecosystem, EcosystemError, encodeClosure, type PackageDocument, type Wish } from '@granary/contract/ecosystem';
import { type BlobStore, type Catalog, type FactSink, JobError, type Pin, type Resolver } from '@granary/contract/ports';
import { type Artifact, type Purl, purlParts, type Sha256, WantedBody, WatchedBody } from '@granary/core/model';
import picomatch from 'picomatch';

/** What demand needs of the world. `documents` is upstream's index as the candidate view has it. */
export interface DemandPorts {
  readonly ecosystem: Ecosystem;
  readonly resolver: Resolver;
  readonly candidateUrl: string;
  readonly documents: (packagePurl: Purl) => Promise<{ readonly document: PackageDocument; readonly sha256: Sha256 } | undefined>;
  readonly runtimeVersion: string;
  /** Watch lists are the operator's business: of the private store. */
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
}

const MAX_LOCKFILE_BYTES = 64 * 2 ** 20;

/** Turns one watched specification into the closed set of artifacts that it means, and records it when it differs from what was wanted. */
export async function demandSpecification(ports: DemandPorts, specification: string, signal?: AbortSignal): Promise<void> {
  const watched = ports.catalog.current('watched', specification);
  if (watched === undefined) throw new JobError('never', `demand ${specification}: it isn't watched`);
  const body = WatchedBody.parse(watched.entry.body);
  const wish = await readWish(ports, specification, body);
  const closure = { watched: watched.key, ...(await closureOf(ports, await pinsOf(ports, wish, signal), body.files)) };
  if (closure.artifacts.length === 0) throw new JobError('later', `demand ${specification}: ${closure.missing.join('; ') || 'upstream has nothing of it'}`);
  const bytes = encodeClosure(closure);
  const manifest = await ports.blobs.put(bytes, { maxBytes: bytes.length });
  const previous = ports.catalog.current('wanted', specification);
  if (previous !== undefined && WantedBody.parse(previous.entry.body).manifest === manifest.sha256) return;
  await ports.sink.submit([
    {
      kind: 'wanted',
      subject: specification,
      body: { role: 'install', manifest: manifest.sha256, artifacts: closure.artifacts.length },
      ...(previous === undefined ? {} : { prev: previous.key }),
    },
  ]);
}

async function readWish(ports: DemandPorts, specification: string, body: WatchedBody): Promise<Wish> {
  const { demand } = ports.ecosystem;
  try {
    if (body.content === undefined) {
      const wish = demand.wishOfPurl(specification);
      if (wish === undefined) throw new JobError('never', `demand ${specification}: no ecosystem knows this specification`);
      return wish;
    }
    const bytes = await ports.blobs.read(body.content, MAX_LOCKFILE_BYTES);
    if (bytes === undefined) throw new JobError('later', `demand ${specification}: the lockfile's bytes ${body.content} are not in the store`);
    return demand.wishOfLockfile(specification, bytes);
  } catch (error) {
    if (error instanceof EcosystemError) throw new JobError('never', `demand ${specification}: ${error.message}`, { cause: error });
    throw error;
  }
}

interface LockedPin extends Pin {
  readonly sha256: readonly string[];
}

async function pinsOf(ports: DemandPorts, wish: Wish, signal: AbortSignal | undefined): Promise<readonly LockedPin[]> {
  if (wish.type === 'pins') return wish.pins;
  const resolution = await ports.resolver.resolve({
    requirements: wish.requirements,
    indexUrl: ports.candidateUrl,
    runtimeVersion: ports.runtimeVersion,
    scope: 'universal',
    ...(signal === undefined ? {} : { signal }),
  });
  if (!resolution.ok) throw new JobError('later', `resolve ${wish.label}: ${resolution.why}: ${resolution.detail}`);
  return resolution.pins.map((pin) => ({ ...pin, sha256: [] }));
}

/** All files of each pinned version, unless narrowed; a locked digest that upstream no longer lists is said. */
async function closureOf(ports: DemandPorts, pins: readonly LockedPin[], narrowedTo: readonly string[] | undefined): Promise<Omit<Closure, 'watched'>> {
  const isWanted = narrowedTo === undefined ? () => true : picomatch([...narrowedTo]);
  const artifacts = new Map<Purl, Artifact>();
  const basis: Record<string, Sha256> = {};
  const missing: string[] = [];
  for (const pin of pins) {
    const packagePurl = ports.ecosystem.demand.packageOfPin(pin);
    const found = await ports.documents(packagePurl);
    if (found === undefined) {
      missing.push(`${packagePurl}: upstream doesn't have it`);
      continue;
    }
    basis[packagePurl] = found.sha256;
    const ofVersion = found.document.artifacts.filter(({ purl }) => purlParts(purl).version === pin.version);
    if (ofVersion.length === 0) missing.push(`${packagePurl}@${pin.version}: upstream doesn't have this version`);
    const listed = new Set<string>(ofVersion.map(({ sha256 }) => sha256));
    missing.push(
      ...pin.sha256.filter((digest) => !listed.has(digest)).map((digest) => `${packagePurl}@${pin.version}: upstream has no file of sha256 ${digest}`),
    );
    for (const artifact of ofVersion) if (isWanted(artifact.fileName)) artifacts.set(artifact.purl, plain(artifact));
  }
  return { artifacts: [...artifacts.values()], basis, missing: missing.sort() };
}

/** Without what only upstream's index knows of it. */
function plain({ purl, fileName, sha256, path, sizeBytes, publishedAt }: Artifact): Artifact {
  return { purl, fileName, sha256, path, ...(sizeBytes === undefined ? {} : { sizeBytes }), ...(publishedAt === undefined ? {} : { publishedAt }) };
}
