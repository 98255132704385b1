import type { Config } from '@granary/config';
import type { Catalog } from '@granary/contract/ports';
import { type Artifact, isSecurityFinding, parsePurl } from '@granary/core/model';
import { ecosystems } from '@granary/ecosystems';
import { namingFolder } from '../disk-fault.ts';
import { openEventLines } from '../output/event-lines.ts';
import { openProgress } from '../output/progress.ts';
import { describeError, formatTable, type Terminal } from '../output/terminal.ts';
import { runScheduler } from '../roles/run-scheduler.ts';
import { type Running, runUp } from '../roles/run-up.ts';
import { formatLeft, type Left, leftOf } from './left.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

export interface UpCommand {
  /** `scheduler`: workers, sequencer and nodes are other processes. */
  readonly role: 'all' | 'scheduler';
  readonly config: Config;
  readonly once: boolean;
  readonly json: boolean;
  /** `lines`: an event a line, as JSON. */
  readonly progress: 'shown' | 'lines';
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

const TOKEN_HINT = 'tokens   only registered readers may read: granary reader add makes a token, and docs/clients.md says how each client shows it';

/**
 * Mirrors, rebuilds, judges, signs and serves, or sees to it; shows the table once the watch list is through; then goes on, unless `once`. Stopped before that, `once` shows what is
 * done and what is left.
 */
export async function up(command: UpCommand): Promise<void> {
  const { config, terminal, signal } = command;
  const progress = command.progress === 'lines' ? openEventLines(command.stderr) : openProgress(command.stderr);
  let isReported = false;
  try {
    const run = command.role === 'all' ? runUp : runScheduler;
    await run({ config, environment: command.environment, progress, signal, follow: command.once ? 'nothing' : 'upstream' }, async (running) => {
      const caughtUp = running.caughtUp().catch((error: unknown) => {
        if (command.once) throw error;
        // What is held is served all the same.
        terminal.say(`granary: ${describeError(namingFolder(error, config.dataDir))}`);
      });
      await untilAborted(caughtUp, signal);
      if (signal.aborted && !command.once) return;
      if (signal.aborted) await settledBriefly(running);
      progress.pause();
      report(command, running);
      isReported = true;
      if (command.once) return;
      terminal.say(`Following upstream${command.role === 'all' ? ' and serving' : ''}; Ctrl-C ends it.`);
      await untilAborted(undefined, signal);
    });
  } catch (error) {
    throw namingFolder(error, config.dataDir);
  } finally {
    progress.stop();
    if (command.once && signal.aborted && !isReported) reportNothing(command);
  }
}

/** How long what was done waits for its place in the ledger, when somebody wants to leave. */
const SETTLED_WITHIN_MS = 2000;

/** Never rejects: what can't be sequenced now is durable all the same. */
async function settledBriefly({ site }: Pick<Running, 'site'>): Promise<void> {
  const over = new AbortController();
  const time = site.clock.sleep(SETTLED_WITHIN_MS, over.signal).catch(() => undefined);
  await Promise.race([site.settle().catch(() => undefined), time]);
  over.abort();
}

/** It was stopped before it knew what there is to do. */
function reportNothing({ json, terminal }: Pick<UpCommand, 'json' | 'terminal'>): void {
  terminal.result(json ? JSON.stringify({ interrupted: true, artifacts: [], failures: [], missing: {}, left: null }) : formatLeft(undefined));
}

function report(command: UpCommand, running: Running): void {
  const outcomes = outcomesOf(running);
  const known = { outcomes, left: leftOf(outcomes, running.scheduler.open()) };
  if (command.json) reportJson(command, running, known);
  else reportText(command, running, known);
}
interface Known {
  readonly outcomes: readonly Outcome[];
  readonly left: Left | undefined;
}

function reportJson({ terminal, signal }: UpCommand, { site, scheduler, address }: Running, { outcomes: artifacts, left }: Known): void {
  const gaveUp = [...scheduler.gaveUp.values()].map(({ job, error }) => ({ job: job.label, error: error.message }));
  const postponed = [...scheduler.waiting.values()].map(({ job, error, at }) => ({ job: job.label, error: error.message, retryAt: at }));
  const missing = Object.fromEntries(scheduler.standing()?.missing ?? []);
  const ledger = { size: site.catalog.size(site.origins.public), origin: site.origins.public };
  const interruption = signal.aborted ? { interrupted: true, left: left ?? null } : {};
  terminal.result(JSON.stringify({ artifacts, ledger, address, failures: [...gaveUp, ...postponed], missing, ...interruption }));
}

function reportText({ terminal, config, signal }: UpCommand, { site, scheduler, address }: Running, { outcomes, left }: Known): void {
  const { catalog, origins } = site;
  terminal.result(outcomeTable(outcomes, address));
  for (const { job, error } of scheduler.gaveUp.values()) terminal.result(`gave up on ${job.label}: ${error.message}`);
  for (const { job, error, at } of scheduler.waiting.values()) terminal.result(`${job.label} is tried again after ${at}: ${error.message}`);
  for (const [specification, reasons] of scheduler.standing()?.missing ?? []) for (const reason of reasons) terminal.result(`${specification}: ${reason}`);
  terminal.result(`\npublic ledger ${origins.public}, ${catalog.size(origins.public)} entries; its keys for verifiers: ${site.paths.publicKey}`);
  if (signal.aborted) terminal.result(formatLeft(left));
  else {
    if (!isAnythingWatched(catalog))
      terminal.result('nothing is watched yet: granary watch add takes packages, lockfiles and SBOMs, or name them under watch: in granary.yaml');
    terminal.result(clientHints(address));
    if (config.readers === 'registered') terminal.result(TOKEN_HINT);
  }
}

function isAnythingWatched(catalog: Catalog): boolean {
  return catalog.all('watched')[Symbol.iterator]().next().done !== true;
}

/** Everything the watch list comes to, in the order of its purls. */
function outcomesOf({ site, scheduler }: Pick<Running, 'site' | 'scheduler'>): readonly Outcome[] {
  const errors = new Map(
    [...scheduler.gaveUp.values()].flatMap(({ job, error }) =>
      typeof job.payload === 'object' && job.payload !== null && 'purl' in job.payload ? [[String(job.payload.purl), error.message] as const] : [],
    ),
  );
  return sortedOutcomes(site.catalog, scheduler.standing()?.wanted ?? [], errors);
}

export function sortedOutcomes(catalog: Catalog, wanted: readonly Artifact[], errors: ReadonlyMap<string, string>): readonly Outcome[] {
  return wanted.map((artifact) => outcomeOf(catalog, artifact, errors)).toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** What can be rebuilt, a line each; the rest counted by why not. */
function outcomeTable(outcomes: readonly Outcome[], address: string): string {
  const isListed = ({ verdict }: Outcome) => verdict !== 'unsupported';
  const rows = outcomes
    .filter(isListed)
    .map((outcome) => [
      outcome.filename,
      outcome.verdict,
      [outcome.rung ?? outcome.failureClass ?? '', ...outcome.findings.filter(isSecurityFinding).map((finding) => `SECURITY ${finding}`)].join(', '),
      outcome.sourceTier ?? '',
      outcome.seconds === 0 ? '' : outcome.seconds.toFixed(1),
      `${address}/releases/${encodeURIComponent(releasePurl(outcome.purl))}`,
    ]);
  const rest = Map.groupBy(
    outcomes.filter((outcome) => !isListed(outcome)),
    ({ failureClass }) => failureClass ?? 'unsupported',
  );
  const counted = [...rest].map(([why, members]) => `${members.length} ${why}`).join(', ');
  const table = formatTable([['ARTIFACT', 'VERDICT', 'RUNG OR CAUSE', 'SOURCE TIER', 'SECONDS', 'LINK'], ...rows]);
  return counted === '' ? table : `${table}\nmirrored and not rebuilt: ${counted}`;
}

function releasePurl(purl: string): string {
  return (parsePurl(purl) ?? purl).split('?', 1)[0] ?? purl;
}

function clientHints(address: string): string {
  return ecosystems.flatMap(({ views }) => views.clientHints(address)).join('\n');
}

/** Resolves with the promise, or when the signal aborts. */
async function untilAborted(promise: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await (promise === undefined ? aborted : Promise.race([promise, aborted]));
}
