import { type Closure, closureSize, encodeClosure, overQuota } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { WantedBody, WatchedBody } from '@granary/core/model';
import { closureOfWishes, type PartialClosure } from './closure-of-wishes.ts';
import type { DemandPorts } from './demand-ports.ts';
import { readWishes } from './read-wishes.ts';

/** Turns one watched specification into the closed set of artifacts that it means, and records it when it differs from what was wanted. */
export async function demandSpecification(ports: DemandPorts, specification: string, signal?: AbortSignal): Promise<void> {
  const watched = ports.catalog.current('watched', specification);
  if (watched === undefined) throw new JobError('never', `demand ${specification}: it isn't watched`);
  const body = WatchedBody.parse(watched.entry.body);
  const wishes = await readWishes(ports, specification, body);
  const found = await closureOfWishes(wishes, body.files, signal);
  // What no registry has will not be there later either: that is an answer. What upstream hasn't today is asked for again.
  if (found.artifacts.length === 0 && wishes.wishes.length > 0)
    throw new JobError('later', `demand ${specification}: ${found.missing.join('; ') || 'upstream has nothing of it'}`);
  const closure: Closure = { watched: watched.key, ...withinQuota(ports, body, found) };
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

/** All of it or nothing: half a product installs nowhere. What of it is held already stays. */
function withinQuota({ catalog }: DemandPorts, { quotaBytes }: WatchedBody, closure: PartialClosure): PartialClosure {
  const why = overQuota(closureSize(catalog, closure.artifacts), quotaBytes);
  return why === undefined ? closure : { ...closure, artifacts: [], missing: [...closure.missing, why] };
}
