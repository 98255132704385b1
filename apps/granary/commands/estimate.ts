import type { Config } from '@granary/config';
import { type ClosureSize, closureSize, EcosystemError, overQuota } from '@granary/contract/ecosystem';
import { type Catalog, JobError, UpstreamError } from '@granary/contract/ports';
import { packageOf, typeOf } from '@granary/core/model';
import { closureOfWishes, type DemandedEcosystem, type PartialClosure, type WatchedItem, wishesOf } from '@granary/stage-demand';
import { AppError } from '../app-error.ts';
import { formatTable } from '../output/terminal.ts';
import { type LookUp, openLookUp } from '../roles/look-up.ts';
import { withSiteReader } from '../roles/site-reader.ts';
import type { Watchable } from './find-watchable.ts';
import type { WatchCommand } from './watch.ts';

/** What watching something would come to. Sizes are sums of those that upstream states. */
interface EstimateLine extends ClosureSize {
  readonly specification: string;
  /** Of upstream: an index of each package, each file that isn't held, and the documents beside it. */
  readonly requests: number;
  /** At the configured pace of requests; the network may take longer. */
  readonly seconds: number;
  /** Of storing what isn't held yet; null where no price is configured. */
  readonly costPerMonth: number | null;
  /** What is asked for and can't be had. */
  readonly missing: readonly string[];
  /** Why nothing of it would be taken in, or why nobody knows; null when neither is so. */
  readonly problem: string | null;
}
export interface Estimate {
  readonly specifications: readonly EstimateLine[];
  /** Each file once, whatever asks for it. */
  readonly total: Omit<EstimateLine, 'specification' | 'missing' | 'problem'>;
  readonly currency: string | null;
  readonly left: Watchable['left'];
}
type EstimateCommand = WatchCommand & { readonly environment: NodeJS.ProcessEnv };

const NOTHING: PartialClosure = { artifacts: [], basis: {}, missing: [], repositories: [] };

/** Resolves as demand does, on what upstream says now, and writes nothing down. */
export async function estimate(command: EstimateCommand, { items, left }: Watchable): Promise<Estimate> {
  await using lookUp = await openLookUp(command);
  const resolved: Resolved[] = [];
  for (const item of items) resolved.push({ item, ...(await resolve(lookUp, item, command.signal)) });
  return await withHeld(command.config, (catalog) => {
    const { config } = command;
    const parts = { config, catalog, lookUp };
    const all = resolved.flatMap(({ closure }) => closure.artifacts);
    const basis = Object.assign({}, ...resolved.map(({ closure }) => closure.basis));
    return {
      specifications: resolved.map((one) => lineOf(parts, one)),
      total: sumOf(parts, { artifacts: all, basis, missing: [], repositories: [] }),
      currency: config.prices?.currency ?? null,
      left,
    };
  });
}

interface Resolved {
  readonly item: WatchedItem;
  readonly closure: PartialClosure;
  /** Why it couldn't be resolved. */
  readonly problem: string | undefined;
}
interface Parts {
  readonly config: Config;
  readonly catalog: Pick<Catalog, 'current'>;
  readonly lookUp: LookUp;
}

async function resolve(lookUp: LookUp, item: WatchedItem, signal: AbortSignal): Promise<Omit<Resolved, 'item'>> {
  try {
    const wishes = wishesOf<DemandedEcosystem>(lookUp.ecosystems, item.specification, item.content);
    return { closure: await closureOfWishes(wishes, item.files, signal), problem: undefined };
  } catch (error) {
    if (error instanceof JobError || error instanceof EcosystemError || error instanceof UpstreamError) return { closure: NOTHING, problem: error.message };
    throw error;
  }
}

/** What is held already; nothing, where there is no archive yet. */
async function withHeld<T>(config: Config, use: (catalog: Pick<Catalog, 'current'>) => T): Promise<T> {
  try {
    return await withSiteReader(config, ({ catalog }) => use(catalog));
  } catch (error) {
    if (error instanceof AppError && error.code === 'no-data') return use({ current: () => undefined });
    throw error;
  }
}

function lineOf(parts: Parts, { item, closure, problem }: Resolved): EstimateLine {
  const sum = sumOf(parts, closure);
  return { specification: item.specification, ...sum, missing: closure.missing, problem: problem ?? overQuota(sum, item.quotaBytes) ?? null };
}

function sumOf({ config, catalog, lookUp }: Parts, { artifacts, basis }: PartialClosure): Estimate['total'] {
  const size = closureSize(catalog, artifacts);
  const lacking = [...new Map(artifacts.map((artifact) => [artifact.purl, artifact])).values()].filter(
    ({ purl }) => catalog.current('stored', purl) === undefined,
  );
  const asked = new Map<string, number>();
  const ask = (type: string, requests: number) => asked.set(type, (asked.get(type) ?? 0) + requests);
  for (const packagePurl of new Set([...Object.keys(basis), ...artifacts.map(({ purl }) => packageOf(purl))])) ask(typeOf(packagePurl), 1);
  for (const { purl } of lacking) ask(typeOf(purl), 1 + lookUp.companionsOf(purl));
  const newGiB = (size.bytes - size.held.bytes) / 2 ** 30;
  return {
    ...size,
    requests: asked.values().reduce((sum, count) => sum + count, 0),
    // Each upstream has a budget of its own, and they are asked at the same time.
    seconds: Math.max(0, ...[...asked].map(([type, requests]) => Math.ceil(requests / lookUp.requestsPerSecond(type)))),
    costPerMonth: config.prices === undefined ? null : Math.round(newGiB * config.prices.perGiBMonth * 100) / 100,
  };
}

/** For people. */
export function formatEstimate({ specifications, total, currency, left }: Estimate): string {
  const cells = (name: string, line: Estimate['total']) => [
    name,
    String(line.files),
    `${line.bytes}${line.unknownSizes === 0 ? '' : ` and ${line.unknownSizes} unknown`}`,
    `${line.held.files} files, ${line.held.bytes} bytes`,
    String(line.requests),
    `${line.seconds} s`,
    ...(line.costPerMonth === null ? [] : [`${line.unknownSizes === 0 ? '' : 'at least '}${line.costPerMonth.toFixed(2)} ${currency ?? ''}`.trimEnd()]),
  ];
  const heading = ['SPECIFICATION', 'FILES', 'BYTES', 'HELD ALREADY', 'REQUESTS', 'AT LEAST', ...(total.costPerMonth === null ? [] : ['MORE PER MONTH'])];
  const rows = specifications.map((line) => cells(line.specification, line));
  return [
    formatTable([heading, ...rows, ...(specifications.length === 1 ? [] : [cells('together', total)])]),
    ...specifications.flatMap(({ specification, problem, missing }) => [
      ...(problem === null ? [] : [`${specification}: ${problem}`]),
      ...missing.map((why) => `${specification}: ${why}`),
    ]),
    ...left.map(({ path, why }) => `left ${path}: ${why}`),
  ].join('\n');
}
