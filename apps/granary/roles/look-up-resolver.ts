import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ResolverEcosystem } from '@granary/contract/ecosystem';
import type { BlobStore, Resolution, Resolver, Upstream } from '@granary/contract/ports';
import { openUvResolver } from '@granary/driver-resolver-uv';
import { openFsStore } from '@granary/driver-store-fs';
import type { UpstreamDocuments } from '@granary/stage-sync';
import { AppError } from '../app-error.ts';
import { openCandidateServer } from './candidate-server.ts';

/**
 * Resolves ranges where the ecosystem leaves that to a tool of its own registry, without an archive: what it takes lies in a folder of
 * its own until it is closed. What only a build would tell, it doesn't know: releases that have nothing but source archives.
 */
export interface LookUpResolver extends AsyncDisposable {
  resolve(requirements: readonly string[], signal: AbortSignal | undefined): Promise<Resolution>;
}
export interface LookUpResolverParts {
  readonly ecosystem: ResolverEcosystem;
  readonly documents: UpstreamDocuments;
  readonly upstream: Upstream;
  readonly note: (text: string) => void;
}

const MAX_TOOL_BYTES = 256 * 2 ** 20;
const TOOL = 'uv';

export function openLookUpResolver(parts: LookUpResolverParts): LookUpResolver {
  const stack = new AsyncDisposableStack();
  let opened: Promise<{ readonly resolver: Resolver; readonly indexUrl: string }> | undefined;
  return {
    async resolve(requirements, signal) {
      opened ??= open(parts, stack);
      const { resolver, indexUrl } = await opened;
      const runtimeVersion = parts.ecosystem.rebuilding.toolchain.usualRuntimeVersion;
      return await resolver.resolve({ requirements, indexUrl, runtimeVersion, scope: 'universal', ...(signal === undefined ? {} : { signal }) });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function open(parts: LookUpResolverParts, stack: AsyncDisposableStack): Promise<{ readonly resolver: Resolver; readonly indexUrl: string }> {
  const { ecosystem, documents, upstream } = parts;
  const folder = await mkdtemp(join(tmpdir(), 'granary-look-up-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { blobs } = stack.use(await openFsStore(join(folder, 'store')));
  const uv = await takeTool(parts, blobs, folder);
  const server = stack.use(await openCandidateServer({ ecosystem, documents, upstream, blobs, buildMetadata: async () => undefined }));
  const scratchDir = join(folder, 'resolver');
  await mkdir(scratchDir);
  return { resolver: server.explained(openUvResolver({ uv, scratchDir })), indexUrl: server.indexUrl };
}

/** By the digests that the index states. Resolves to the path of its executable. */
async function takeTool({ ecosystem, documents, upstream, note }: LookUpResolverParts, blobs: BlobStore, folder: string): Promise<string> {
  const { tools, select, unpack } = ecosystem.rebuilding.toolchain;
  const tool = tools.find((purl) => purl.endsWith(`/${TOOL}`));
  const document = tool === undefined ? undefined : await documents.current(tool);
  const artifact = document && select(document.document);
  const lacking = new AppError('unavailable', `look up ${ecosystem.id} ranges: upstream has no ${TOOL} to resolve them with`);
  if (artifact === undefined) throw lacking;
  note(`fetching ${artifact.fileName} to resolve ranges with`);
  const response = await upstream.open({ url: artifact.url, maxBytes: artifact.sizeBytes ?? MAX_TOOL_BYTES });
  if (response.status !== 'ok') throw lacking;
  const { sha256, sizeBytes } = await blobs.put(response.body, { digests: artifact.digests, maxBytes: MAX_TOOL_BYTES });
  const bytes = await blobs.read(sha256, sizeBytes);
  const file = bytes && (await unpack(artifact, bytes)).find(({ path }) => basename(path) === TOOL);
  if (file === undefined) throw lacking;
  const path = join(folder, TOOL);
  await writeFile(path, file.bytes);
  await chmod(path, 0o755);
  return path;
}
