import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RebuildableEcosystem } from '@granary/contract/ecosystem';
import type { BlobStore, RootfsRecipe } from '@granary/contract/ports';
import { canonicalJson, EnvironmentBody, factBody, type Json, type Purl, purlParts, type Sha256, StoredBody, sha256 } from '@granary/core/model';
import { type SyncPorts, storeArtifact } from '@granary/stage-sync';
import { AppError } from '../app-error.ts';
import type { Observer } from './observer.ts';

/** What builds run in, ready on this machine. */
export interface Environment {
  readonly rootfs: Sha256;
  readonly architecture: string;
  readonly runtimeVersion: string;
  /** Tools from the registry, by package: where the executable lies on this machine. */
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
  readonly ecosystem: RebuildableEcosystem;
  readonly sync: SyncPorts;
  readonly observer: Observer;
  readonly rootfs: RootfsMaker;
  readonly toolsDir: string;
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
  const subject = `${ports.ecosystem.id} ${architecture}`;
  const known = ports.sync.catalog.current('environment', subject);
  const body = known === undefined ? await chooseEnvironment(ports, subject) : EnvironmentBody.parse(known.entry.body);
  const recipe = await readRecipe(ports.sync.blobs, body.recipe);
  await prepareSame(ports, recipe, body.rootfs);
  const runtimeVersion = ports.ecosystem.rebuilding.toolchain.runtimeVersion(recipe.packages);
  if (runtimeVersion === undefined)
    throw new AppError('unavailable', `environment ${subject}: the root filesystem brings no runtime for ${ports.ecosystem.id}`);
  const tools = await Promise.all(
    Object.entries(body.tools).map(
      async ([name, tool]) => [name, await unpackTool(ports.sync.blobs, recipe, { name, version: tool.version, dir: ports.toolsDir })] as const,
    ),
  );
  return { rootfs: body.rootfs, architecture, runtimeVersion, tools: new Map(tools) };
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
  const { toolchain } = ports.ecosystem.rebuilding;
  const tools: Record<string, { version: string; sha256: Sha256 }> = {};
  const files: { path: string; sha256: Sha256; executable: boolean }[] = [];
  for (const tool of toolchain.tools) {
    ports.note(`mirroring ${tool}, which builds need`);
    const taken = await takeTool(ports, tool);
    tools[purlParts(tool).name] = { version: taken.version, sha256: taken.sha256 };
    files.push(...taken.files);
  }
  ports.note('mirroring the packages of the root filesystem');
  const recipe = await ports.rootfs.mirror(toolchain.systemPackages, files, ports.signal);
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
  const artifact = document === undefined ? undefined : ports.ecosystem.rebuilding.toolchain.select(document);
  if (artifact === undefined) throw new AppError('unavailable', `mirror ${tool}: upstream has no release of it that this machine can run`);
  await storeArtifact(ports.sync, artifact, ports.signal);
  await ports.settle();
  const stored = catalog.current('stored', artifact.purl);
  const bytes = stored === undefined ? undefined : await blobs.read(StoredBody.parse(stored.entry.body).sha256, MAX_TOOL_BYTES);
  if (stored === undefined || bytes === undefined) throw new AppError('unavailable', `mirror ${artifact.purl}: it was fetched, but isn't in the store`);
  const files = await Promise.all(
    (await ports.ecosystem.rebuilding.toolchain.unpack(artifact, bytes)).map(async (file) => ({
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

/** The executable outside the sandbox, for the resolver: derived, made again when missing. */
async function unpackTool(
  blobs: BlobStore,
  recipe: RootfsRecipe,
  tool: { readonly name: string; readonly version: string; readonly dir: string },
): Promise<string> {
  const file = recipe.files.find(({ path }) => path.endsWith(`/${tool.name}`));
  const isGone = new AppError('unavailable', `tool ${tool.name} ${tool.version}: its executable isn't in the store`);
  if (file === undefined) throw isGone;
  const folder = join(tool.dir, file.sha256);
  const path = join(folder, tool.name);
  const there = await readFile(path).catch(() => undefined);
  if (there !== undefined && sha256(there) === file.sha256) return path;
  const bytes = await blobs.read(file.sha256, MAX_TOOL_BYTES);
  if (bytes === undefined) throw isGone;
  await mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  try {
    await writeFile(part, bytes, { mode: 0o755 });
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}
