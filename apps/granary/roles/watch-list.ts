import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, type WatchLine } from '@granary/config';
import { type Ecosystem, EcosystemError } from '@granary/contract/ecosystem';
import { WatchedBody } from '@granary/core/model';
import { ecosystems } from '@granary/ecosystems';
import { MAX_WATCHED_BYTES, type WatchedItem, type Wishes, wishesOf } from '@granary/stage-demand';
import type { Site } from './site.ts';

/**
 * The lines of `watch:`, each read by the ecosystem that knows it, lockfiles and SBOMs with their bytes: before anything is opened, so that a typo
 * costs nothing. Throws ConfigError.
 */
export async function readWatchList(config: Config): Promise<readonly WatchedItem[]> {
  refuseUnknownUpstreams(config);
  return await Promise.all(config.watch.map(readLine));
}

function refuseUnknownUpstreams({ upstreams, file }: Config): void {
  const ids: readonly string[] = ecosystems.map(({ id }) => id);
  const unknown = Object.keys(upstreams).find((id) => !ids.includes(id));
  if (unknown !== undefined)
    throw new ConfigError(`${file ?? 'the configuration'}: upstreams.${unknown}: unknown ecosystem; expected one of ${ids.join(', ')}`);
}

async function readLine(line: WatchLine): Promise<WatchedItem> {
  const { specification, path, files, quotaBytes } = line;
  const more = { ...(files === undefined ? {} : { files }), ...(quotaBytes === undefined ? {} : { quotaBytes }) };
  const content = path === undefined ? undefined : await readWatchedFile(line, path);
  const item = { specification, ...(content === undefined ? {} : { content }), ...more };
  try {
    wishesOfItem(item);
  } catch (cause) {
    if (cause instanceof EcosystemError) throw new ConfigError(`${line.at}: watch: ${describeProblem(cause)}`, { cause });
    throw cause;
  }
  return item;
}

async function readWatchedFile({ at, specification }: WatchLine, path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new ConfigError(`${at}: watch ${specification}: ${path} can't be read; make the lockfile first, or take the line out`, { cause });
  });
}

/** What is watched, as each ecosystem reads it. Throws EcosystemError. */
export function wishesOfItem({ specification, content }: WatchedItem): Wishes<{ readonly ecosystem: Ecosystem }> {
  return wishesOf(
    ecosystems.map((ecosystem) => ({ ecosystem })),
    specification,
    content,
  );
}

/** Ids of the ecosystems that items, read before, ask something of. */
export function concernedBy(items: readonly WatchedItem[]): ReadonlySet<string> {
  return new Set(items.flatMap((item) => wishesOfItem(item).wishes.map(({ of }) => of.ecosystem.id)));
}

/** As {@link concernedBy}, of what is on record: passes over what isn't understood, which the job that meets it says. */
export async function concernedByCatalog({ catalog, privateStore }: Pick<Site, 'catalog' | 'privateStore'>): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const { entry } of catalog.all('watched')) {
    const { state, content: digest } = WatchedBody.parse(entry.body);
    const content = digest === undefined ? undefined : await privateStore.blobs.read(digest, MAX_WATCHED_BYTES);
    if (state !== 'active' || (digest !== undefined && content === undefined)) continue;
    try {
      for (const id of concernedBy([{ specification: entry.subject, ...(content === undefined ? {} : { content }) }])) ids.add(id);
    } catch (error) {
      if (!(error instanceof EcosystemError)) throw error;
    }
  }
  return ids;
}

/** What is wrong with a specification, and what would be right. */
export function describeProblem({ code, message }: EcosystemError): string {
  if (code !== 'unsupported') return message;
  const example = `pkg:${ecosystems[0]?.id ?? 'type'}/name`;
  return `${message}; expected a package URL such as ${example}, the address of a git repository, the path of a lockfile, or that of an SBOM (CycloneDX 1.4 to 1.6 or SPDX 2.3, in JSON)`;
}
