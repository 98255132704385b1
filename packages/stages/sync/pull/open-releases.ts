import { EcosystemError } from '@granary/contract/ecosystem';
import { type Clock, UpstreamError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import type { Stated } from '../sighting.ts';
import type { SyncPorts } from '../sync-ports.ts';
import type { PullBudget } from './pull-budget.ts';

/** Asks upstream for one release because a client asks for its file, and nothing on record has it. */
export interface Releases {
  /** What upstream says of the file at a path; undefined where only the package's document tells. Rejects for faults of our own alone. */
  of(packagePurl: Purl, path: string): Promise<Stated | undefined>;
  /** What that came to of late, or is about to. */
  known(path: string): Promise<Stated | undefined> | undefined;
}
export interface ReleasePorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream'> {
  readonly ecosystem: { readonly index: Pick<SyncPorts['ecosystem']['index'], 'release'> };
  readonly clock: Pick<Clock, 'now'>;
  readonly budget: Pick<PullBudget, 'reserve'>;
  /** Aborts when this process ends. */
  readonly signal: AbortSignal;
}

/** A client waits for it, and for the package's document afterwards where it doesn't come. */
const PATIENCE_MS = 5000;
/** How long what was said counts: as for packages. */
const MAX_AGE_MS = 60_000;
/** Of what was said: thousands of releases of the usual size. */
const REMEMBERED_CHARS = 8 * 2 ** 20;
/** Under way at once: who makes versions up doesn't reach upstream with each, and sees the package's document next. */
const MAX_OF_PACKAGE = 8;

export function openReleases(ports: ReleasePorts): Releases {
  const { clock } = ports;
  const { release } = ports.ecosystem.index;
  /** The oldest first. */
  const asked = new Map<string, { readonly at: number; readonly stated: Promise<Stated | undefined>; chars: number }>();
  let chars = 0;
  const forget = (path: string) => {
    chars -= asked.get(path)?.chars ?? 0;
    asked.delete(path);
  };
  const known = (path: string) => {
    const now = Date.parse(clock.now());
    for (const [oldest, { at }] of asked) {
      if (now - at < MAX_AGE_MS && chars <= REMEMBERED_CHARS) break;
      forget(oldest);
    }
    return asked.get(path)?.stated;
  };
  const underWay = new Map<Purl, number>();
  const counted = async (packagePurl: Purl, work: Promise<Stated | undefined>) => {
    underWay.set(packagePurl, (underWay.get(packagePurl) ?? 0) + 1);
    try {
      return await work;
    } finally {
      const left = (underWay.get(packagePurl) ?? 1) - 1;
      if (left === 0) underWay.delete(packagePurl);
      else underWay.set(packagePurl, left);
    }
  };
  const ask = (packagePurl: Purl, path: string, url: string): Promise<Stated | undefined> | undefined => {
    if ((underWay.get(packagePurl) ?? 0) >= MAX_OF_PACKAGE) return undefined;
    const stated = counted(packagePurl, askUpstream(ports, { packagePurl, path, url }));
    const entry = { at: Date.parse(clock.now()), stated, chars: 0 };
    asked.set(path, entry);
    const drop = () => void (asked.get(path) === entry && forget(path));
    stated.then((found) => {
      if (found === undefined || asked.get(path) !== entry) return drop();
      entry.chars = found.statement.text.length;
      chars += entry.chars;
    }, drop);
    return stated;
  };
  return {
    known,
    async of(packagePurl, path) {
      const url = release?.url(ports.upstreamBase, packagePurl, path);
      return url === undefined ? undefined : await (known(path) ?? ask(packagePurl, path, url));
    },
  };
}

interface Asked {
  readonly packagePurl: Purl;
  readonly path: string;
  readonly url: string;
}

/** What can't be had or read says nothing: the package's document is looked at then, and what is wrong with upstream said of that. */
async function askUpstream({ upstream, budget, ecosystem, signal }: ReleasePorts, { packagePurl, path, url }: Asked): Promise<Stated | undefined> {
  const { release } = ecosystem.index;
  const reserved = budget.reserve(0);
  if (release === undefined || reserved === undefined) return undefined;
  try {
    const { accept, maxBytes } = release;
    const response = await upstream.open({ url, accept, isSmall: true, maxBytes, timeoutMs: PATIENCE_MS, signal });
    if (response.status !== 'ok') return undefined;
    const bytes = Buffer.concat(await Array.fromAsync(response.body));
    reserved.take(bytes.length);
    const artifact = release.parse(bytes, { url: response.url, package: packagePurl, path });
    return artifact === undefined ? undefined : { artifact, statement: { url: response.url, text: bytes.toString() } };
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof EcosystemError) return undefined;
    throw error;
  } finally {
    reserved.end();
  }
}
