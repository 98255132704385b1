import { encodeOutside, type Outside } from '@granary/contract/repository';
import type { Purl } from '@granary/core/model';
import { fetchLargeFiles } from './fetch-large-files.ts';
import { type MissingFiles, type OutsideBody, outsideBody } from './outside-body.ts';
import type { RepositoryPorts } from './repository-ports.ts';

/** What lies outside, as it is to be said, and how many facts that was already. */
export interface TakenOutside {
  readonly outside: Outside;
  readonly body: OutsideBody;
  readonly missing: MissingFiles;
  readonly facts: number;
}

/** Brings what can be had of it now, and puts the list of it into the store. */
export async function takeOutside(
  ports: RepositoryPorts,
  { repository, url, outside }: { readonly repository: Purl; readonly url: string; readonly outside: Outside },
  signal?: AbortSignal,
): Promise<TakenOutside> {
  const { facts, missing } = await fetchLargeFiles(ports, { repository, url, files: outside.largeFiles }, signal);
  return { outside, facts, missing, body: outsideBody(outside, await kept(ports, outside), missing) };
}

/** Nothing is kept of nothing. */
async function kept({ blobs }: RepositoryPorts, outside: Outside) {
  if (Object.values(outside).every(({ length }) => length === 0)) return undefined;
  const bytes = encodeOutside(outside);
  return (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
}
