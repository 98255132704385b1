import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, type WatchLine } from '@granary/config';
import { type Ecosystem, EcosystemError } from '@granary/contract/ecosystem';
import { ecosystems } from '@granary/ecosystems';
import type { WatchedItem } from '@granary/stage-demand';

/**
 * The lines of `watch:`, each read by the ecosystem that knows it, lockfiles with their bytes: before anything is opened, so that a typo
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
  const { specification, path, files } = line;
  const more = files === undefined ? {} : { files };
  if (path === undefined) {
    understood(line, () => ecosystems.some(({ demand }) => demand.wishOfPurl(specification) !== undefined));
    return { specification, ...more };
  }
  const content = await readFile(path).catch((cause: unknown) => {
    throw new ConfigError(`${line.at}: watch ${specification}: ${path} can't be read; make the lockfile first, or take the line out`, { cause });
  });
  understood(line, () => {
    const ecosystem = ecosystems.find(({ demand }) => demand.isLockfile(specification));
    ecosystem?.demand.wishOfLockfile(specification, content);
    return ecosystem !== undefined;
  });
  return { specification, content, ...more };
}

/** Whether a specification, read before, asks something of an ecosystem. */
export function concerns({ demand }: Ecosystem, specification: string): boolean {
  return demand.isLockfile(specification) || demand.wishOfPurl(specification) !== undefined;
}

function understood({ at, specification }: WatchLine, knows: () => boolean): void {
  try {
    if (knows()) return;
  } catch (cause) {
    if (!(cause instanceof EcosystemError)) throw cause;
    throw new ConfigError(`${at}: watch: ${cause.message}`, { cause });
  }
  const example = `pkg:${ecosystems[0]?.id ?? 'type'}/name`;
  throw new ConfigError(`${at}: watch ${specification}: no ecosystem knows this; expected a package URL such as ${example}, or the path of a lockfile`);
}
