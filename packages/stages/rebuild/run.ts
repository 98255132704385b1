import type { Definition } from '@granary/contract/ecosystem';
import { type BlobStore, JobError, type SandboxResult } from '@granary/contract/ports';
import { sourceBytes } from '@granary/contract/repository';
import { canonicalJson, type FailureClass, factBody, type Json, type Purl, type Sha256 } from '@granary/core/model';
import type { FetchedBytes, RunPorts } from './rebuild-ports.ts';

const MAX_DEFINITION_BYTES = 16 * 2 ** 20;

/** One build of one definition; the second only tells whether builds differ among themselves. */
export interface BuildOrder {
  readonly purl: Purl;
  readonly definition: Sha256;
  readonly build: 1 | 2;
}

/**
 * Builds a definition once and records what came of it. The fetch phase sees only our mirror as it stood at the definition's
 * moment; every byte it fetched is in the manifest that the fact names.
 */
export async function runDefinition(ports: RunPorts, what: BuildOrder, signal?: AbortSignal): Promise<void> {
  const { purl, definition: definitionDigest, build } = what;
  const definition = await readDefinition(ports.blobs, definitionDigest);
  const [first, ...others] = definition.phases;
  if (definition.environment === undefined || first === undefined) throw new JobError('never', `build ${purl}: definition ${definitionDigest} builds nothing`);
  const mirror = await ports.openMirror({ asOf: definition.registry.asOf });
  try {
    const started = performance.now();
    const result = await ports.sandbox.run({
      id: `b${build}-${definitionDigest.slice(0, 24)}`,
      rootfs: definition.environment.rootfs,
      inputs: await inputsOf(ports, definition),
      phases: [first, ...others],
      mirrorSocket: mirror.path,
      outputDir: definition.outputDir,
      limits: definition.limits,
      ...(signal === undefined ? {} : { signal }),
    });
    signal?.throwIfAborted();
    const fetched = await storeFetched(ports.blobs, mirror.fetched());
    const log = await ports.blobs.put(new TextEncoder().encode(result.log.text), { maxBytes: definition.limits.logBytes * 4 });
    const outcome = await outcomeOf(ports, definition, result);
    const run = { durationMs: Math.round(performance.now() - started), log: log.sha256 };
    const body = factBody({ ...outcome, fetched, run });
    await ports.sink.submit([{ kind: 'rebuilt', subject: purl, inputs: [definitionDigest], body, ...(build === 1 ? {} : { build }) }]);
  } finally {
    await mirror.close();
  }
}

export async function readDefinition(blobs: BlobStore, digest: Sha256): Promise<Definition> {
  const bytes = await blobs.read(digest, MAX_DEFINITION_BYTES);
  if (bytes === undefined) throw new JobError('later', `read definition ${digest}: not in the store`);
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function inputsOf(
  ports: RunPorts,
  definition: Definition,
): Promise<readonly { readonly path: string; readonly content: { readonly bytes: Uint8Array } }[]> {
  return [
    { path: `source/${definition.source.fileName}`, content: { bytes: await sourceBytes(ports, definition.source) } },
    ...definition.files.map(({ path, text }) => ({ path, content: { bytes: new TextEncoder().encode(text) } })),
  ];
}

async function storeFetched(blobs: BlobStore, fetched: readonly FetchedBytes[]): Promise<Sha256> {
  // Sorted and without repeats: clients fetch in parallel, in an order that means nothing.
  const lines = new Map(fetched.map((item) => [`${item.path} ${item.sha256}`, { path: item.path, sha256: item.sha256, sizeBytes: item.sizeBytes }]));
  const sorted: Json = [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  const bytes = new TextEncoder().encode(canonicalJson({ granary: 1, type: 'fetched', fetched: sorted }));
  return (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
}

type Outcome =
  | { readonly status: 'built'; readonly sha256: Sha256; readonly sizeBytes: number; readonly fileName: string; readonly exitCode: number }
  | { readonly status: 'needs'; readonly requirements: readonly string[] }
  | { readonly status: 'failed'; readonly failureClass: FailureClass; readonly detail: string };

/** A build can exit with an error after it produced the right artifact: what lies in the output counts. */
async function outcomeOf(ports: RunPorts, definition: Definition, result: SandboxResult): Promise<Outcome> {
  const last = result.phases.at(-1);
  if (last === undefined) throw new JobError('at-once', `build ${definition.target.purl}: the sandbox ran no phase`);
  if (last.end.type === 'killed' && (last.end.by === 'abort' || last.end.by === 'signal'))
    throw new JobError('at-once', `build ${definition.target.purl}: the sandbox was killed in ${last.name}`);
  const needs = ports.ecosystem.rebuilding.strategy.readNeeds(result.outputs, result.log.text);
  if (needs !== undefined) return { status: 'needs', requirements: needs };
  const { fileName } = definition.target;
  const suffix = fileName.slice(fileName.lastIndexOf('.'));
  const candidates = result.outputs.filter(({ path }) => path.endsWith(suffix) && !path.includes('/'));
  const output = candidates.find(({ path }) => path === fileName) ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (output !== undefined && last.end.type === 'exited') {
    const blob = await ports.blobs.put(output.bytes, { maxBytes: definition.limits.outputBytes });
    return { status: 'built', sha256: blob.sha256, sizeBytes: blob.sizeBytes, fileName: output.path, exitCode: last.end.code };
  }
  return { status: 'failed', ...failureOf(ports, result, last) };
}

function failureOf(
  ports: RunPorts,
  result: SandboxResult,
  last: SandboxResult['phases'][number],
): { readonly failureClass: FailureClass; readonly detail: string } {
  if (last.end.type === 'killed') {
    const failureClass = last.end.by === 'timeout' ? 'timeout' : 'out-of-memory';
    return { failureClass, detail: `${last.name} was ended by its ${failureClass === 'timeout' ? 'time' : 'memory'} limit` };
  }
  const refused = result.refused[0];
  if (refused !== undefined) return { failureClass: 'output-refused', detail: `${refused.path}: ${refused.why}`.slice(0, 400) };
  if (last.end.code === 0) return { failureClass: 'output-missing', detail: `${last.name} left no artifact` };
  if (/No space left on device|ENOSPC/.test(result.log.text)) return { failureClass: 'disk-full', detail: `${last.name} filled the work dir` };
  return { failureClass: ports.ecosystem.rebuilding.strategy.classifyFailure(result.log.text), detail: `${last.name} exited with ${last.end.code}` };
}
