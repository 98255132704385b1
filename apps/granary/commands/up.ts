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

/** Mirrors, rebuilds, judges, signs and serves, or sees to it; shows the table once the watch list is through; then goes on, unless `once`. */
export async function up(command: UpCommand): Promise<void> {
  const { config, terminal, signal } = command;
  const progress = command.progress === 'lines' ? openEventLines(command.stderr) : openProgress(command.stderr);
  try {
    const run = command.role === 'all' ? runUp : runScheduler;
    await run({ config, environment: command.environment, progress, signal, follow: command.once ? 'nothing' : 'upstream' }, async (running) => {
      const caughtUp = running.caughtUp().catch((error: unknown) => {
        if (command.once) throw error;
        // What is held is served all the same.
        terminal.say(`granary: ${describeError(namingFolder(error, config.dataDir))}`);
      });
      await untilAborted(caughtUp, signal);
      if (signal.aborted) return;
      progress.pause();
      report(command, running);
      if (command.once) return;
      terminal.say(`Following upstream${command.role === 'all' ? ' and serving' : ''}; Ctrl-C ends it.`);
      await untilAborted(undefined, signal);
    });
  } catch (error) {
    throw namingFolder(error, config.dataDir);
  } finally {
    progress.stop();
  }
}

function report({ json, terminal, config }: UpCommand, running: Running): void {
  const { catalog, origins } = running.site;
  const outcomes = outcomesOf(running);
  const gaveUp = [...running.scheduler.gaveUp.values()].map(({ job, error }) => ({ job: job.label, error: error.message }));
  const postponed = [...running.scheduler.waiting.values()].map(({ job, error, at }) => ({ job: job.label, error: error.message, retryAt: at }));
  const missing = Object.fromEntries(running.scheduler.standing()?.missing ?? []);
  if (json) {
    const ledger = { size: catalog.size(origins.public), origin: origins.public };
    terminal.result(JSON.stringify({ artifacts: outcomes, ledger, address: running.address, failures: [...gaveUp, ...postponed], missing }));
    return;
  }
  terminal.result(outcomeTable(outcomes, running.address));
  for (const { job, error } of gaveUp) terminal.result(`gave up on ${job}: ${error}`);
  for (const { job, error, retryAt } of postponed) terminal.result(`${job} is tried again after ${retryAt}: ${error}`);
  for (const [specification, reasons] of Object.entries(missing)) for (const reason of reasons) terminal.result(`${specification}: ${reason}`);
  terminal.result(`\npublic ledger ${origins.public}, ${catalog.size(origins.public)} entries; its keys for verifiers: ${running.site.paths.publicKey}`);
  if (!isAnythingWatched(catalog))
    terminal.result('nothing is watched yet: granary watch add takes packages, lockfiles and SBOMs, or name them under watch: in granary.yaml');
  terminal.result(clientHints(running.address));
  if (config.readers === 'registered') terminal.result(TOKEN_HINT);
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
