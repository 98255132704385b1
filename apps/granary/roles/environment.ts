import type { Toolset } from '@granary/contract/ecosystem';
import type { BlobStore, RootfsRecipe } from '@granary/contract/ports';
import { canonicalJson, EnvironmentBody, factBody, type Json, type Purl, purlParts, type Sha256, StoredBody } from '@granary/core/model';
import { type SyncPorts, storeArtifact } from '@granary/stage-sync';
import { AppError } from '../app-error.ts';
import type { Observer } from './observer.ts';

/** What builds run in, ready on this machine. */
export interface Environment {
  readonly rootfs: Sha256;
  readonly architecture: string;
  readonly recipe: RootfsRecipe;
  /** Versions of the tools from the registry, by package. */
  readonly tools: ReadonlyMap<string, string>;
}
/** How the root filesystem is mirrored and made. */
export interface RootfsMaker {
  /** Mirrors what it takes and says it as a recipe. */
  mirror(include: readonly string[], files: RootfsRecipe['files'], signal: AbortSignal): Promise<RootfsRecipe>;
  /** From stored blobs alone. */
  prepare(recipe: RootfsRecipe, signal: AbortSignal): Promise<Sha256>;
}
export interface EnvironmentPorts {
  /** What it is for: `pypi`, `npm installs`. */
  readonly purpose: string;
  readonly toolset: Toolset;
  readonly sync: SyncPorts;
  readonly observer: Observer;
  readonly rootfs: RootfsMaker;
  readonly settle: () => Promise<void>;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Debian's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const MAX_RECIPE_BYTES = 8 * 2 ** 20;
const MAX_TOOL_BYTES = 256 * 2 ** 20;

/**
 * The environment that this site builds in. Chosen once, recorded, and made again from stored blobs alone on any machine: so that a
 * worker with an empty disk and no upstream has the same one.
 */
export async function ensureEnvironment(ports: EnvironmentPorts): Promise<Environment> {
  const architecture = debianArchitecture();
  const subject = `${ports.purpose} ${architecture}`;
  const known = ports.sync.catalog.current('environment', subject);
  const body = known === undefined ? await chooseEnvironment(ports, subject) : EnvironmentBody.parse(known.entry.body);
  const recipe = await readRecipe(ports.sync.blobs, body.recipe);
  await prepareSame(ports, recipe, body.rootfs);
  const tools = new Map(Object.entries(body.tools).map(([name, { version }]) => [name, version]));
  return { rootfs: body.rootfs, architecture, recipe, tools };
}

export function debianArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

async function prepareSame({ rootfs, note, signal }: EnvironmentPorts, recipe: RootfsRecipe, recorded: Sha256): Promise<void> {
  note('making sure of the root filesystem');
  const made = await rootfs.prepare(recipe, signal);
  if (made !== recorded)
    throw new AppError(
      'unavailable',
      `root filesystem: this machine made ${made} of the recorded recipe, but ${recorded} is recorded; granary doctor tells what differs`,
    );
}

async function chooseEnvironment(ports: EnvironmentPorts, subject: string): Promise<EnvironmentBody> {
  const { toolset } = ports;
  const tools: Record<string, { version: string; sha256: Sha256 }> = {};
  const files: { path: string; sha256: Sha256; executable: boolean }[] = [];
  for (const tool of toolset.tools) {
    ports.note(`mirroring ${tool} for ${ports.purpose}`);
    const taken = await takeTool(ports, tool);
    tools[purlParts(tool).name] = { version: taken.version, sha256: taken.sha256 };
    files.push(...taken.files);
  }
  ports.note('mirroring the packages of the root filesystem');
  const recipe = await ports.rootfs.mirror(toolset.systemPackages, files, ports.signal);
  ports.note('making the root filesystem');
  const rootfs = await ports.rootfs.prepare(recipe, ports.signal);
  const json: Json = JSON.parse(JSON.stringify(recipe));
  const bytes = new TextEncoder().encode(canonicalJson(json));
  const blob = await ports.sync.blobs.put(bytes, { maxBytes: bytes.length });
  const body: EnvironmentBody = { recipe: blob.sha256, rootfs, tools };
  await ports.sync.sink.submit([{ kind: 'environment', subject, body: factBody(body) }]);
  await ports.settle();
  // Of several workers that chose at the same time, the ledger took the first one's.
  const chosen = ports.sync.catalog.current('environment', subject);
  return chosen === undefined ? body : EnvironmentBody.parse(chosen.entry.body);
}

async function takeTool(
  ports: EnvironmentPorts,
  tool: Purl,
): Promise<{ readonly version: string; readonly sha256: Sha256; readonly files: RootfsRecipe['files'] }> {
  const { blobs, catalog, documents } = ports.sync;
  await ports.observer.observe(tool, { signal: ports.signal });
  const document = await documents.current(tool);
  const artifact = document === undefined ? undefined : ports.toolset.select(document);
  if (artifact === undefined) throw new AppError('unavailable', `mirror ${tool}: upstream has no release of it that this machine can run`);
  await storeArtifact(ports.sync, artifact, ports.signal);
  await ports.settle();
  const stored = catalog.current('stored', artifact.purl);
  const bytes = stored === undefined ? undefined : await blobs.read(StoredBody.parse(stored.entry.body).sha256, MAX_TOOL_BYTES);
  if (stored === undefined || bytes === undefined) throw new AppError('unavailable', `mirror ${artifact.purl}: it was fetched, but isn't in the store`);
  const files = await Promise.all(
    (await ports.toolset.unpack(artifact, bytes)).map(async (file) => ({
      path: file.path,
      executable: true,
      sha256: (await blobs.put(file.bytes, { maxBytes: MAX_TOOL_BYTES })).sha256,
    })),
  );
  return { version: purlParts(artifact.purl).version ?? '', sha256: StoredBody.parse(stored.entry.body).sha256, files };
}

async function readRecipe(blobs: BlobStore, digest: Sha256): Promise<RootfsRecipe> {
  const bytes = await blobs.read(digest, MAX_RECIPE_BYTES);
  if (bytes === undefined) throw new AppError('unavailable', `root filesystem: recipe ${digest} isn't in the store`);
  return JSON.parse(new TextDecoder().decode(bytes));
}
