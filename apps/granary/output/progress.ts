import { type JobEvent, STAGES, type Stage } from '@granary/contract/ports';
import { MultiBar, Presets, type SingleBar } from 'cli-progress';

interface StageCount {
  queued: number;
  done: number;
  gaveUp: number;
  readonly running: Map<string, string>;
  busyMs: number;
  readonly startedAt: Map<string, number>;
}

/** What goes on within a job, or beside the jobs: a phase of a sandbox run, a batch that is written to a ledger (`id` is its origin). */
type Step =
  | { readonly type: 'phase'; readonly id: string; readonly name: string; readonly state: 'started' | 'ended' }
  | { readonly type: 'batch'; readonly id: string; readonly entries: number; readonly state: 'started' | 'ended' };

/** Shows what the queue does. */
export interface Progress {
  onEvent(event: JobEvent): void;
  onStep(step: Step): void;
  /** What goes on outside the queue. */
  note(text: string): void;
  /** Ends the bars, for a table to follow; what comes later is shown in lines. */
  pause(): void;
  stop(): void;
}

const LINE_EVERY_MS = 5000;

/** A bar per stage on a terminal, otherwise a line every few seconds. */
export function openProgress(stream: NodeJS.WriteStream): Progress {
  const counts = new Map<Stage, StageCount>(
    STAGES.map((stage) => [stage, { queued: 0, done: 0, gaveUp: 0, running: new Map(), busyMs: 0, startedAt: new Map() }]),
  );
  let display = stream.isTTY ? barDisplay(stream, counts) : lineDisplay(stream, counts);
  return {
    onEvent(event) {
      const count = counts.get(event.job.stage);
      if (count === undefined) return;
      apply(count, event, performance.now());
      display.update(event.job.stage);
      if (event.type === 'gave-up') display.note(`gave up on ${event.job.label}: ${event.error.message}`);
      if (event.type === 'retrying') display.note(`${event.job.label} is tried again at ${event.at}: ${event.error.message}`);
    },
    // Too many to read.
    onStep: () => undefined,
    note: (text) => display.note(text),
    pause() {
      display.stop();
      display = lineDisplay(stream, counts);
    },
    stop: () => display.stop(),
  };
}

function apply(count: StageCount, event: JobEvent, now: number): void {
  const { id, label } = event.job;
  if (event.type === 'queued') count.queued += 1;
  if (event.type === 'started') {
    count.running.set(id, label);
    count.startedAt.set(id, now);
    return;
  }
  if (event.type === 'queued') return;
  count.busyMs += now - (count.startedAt.get(id) ?? now);
  count.running.delete(id);
  count.startedAt.delete(id);
  if (event.type === 'done') count.done += 1;
  if (event.type === 'gave-up') count.gaveUp += 1;
}

interface Display {
  update(stage: Stage): void;
  note(text: string): void;
  stop(): void;
}

function barDisplay(stream: NodeJS.WriteStream, counts: ReadonlyMap<Stage, StageCount>): Display {
  const format = '{stage} {bar} {value}/{total} {eta_text} {doing}';
  const bars = new MultiBar(
    { stream, format, hideCursor: true, clearOnComplete: false, emptyOnZero: true, gracefulExit: false, barsize: 24, linewrap: false },
    Presets.shades_classic,
  );
  const lines = new Map<Stage, SingleBar>();
  return {
    update(stage) {
      const count = counts.get(stage);
      if (count === undefined) return;
      const known = lines.get(stage);
      const bar = known ?? bars.create(0, 0, { stage: stage.padEnd(8), eta_text: '', doing: '' });
      if (known === undefined) lines.set(stage, bar);
      bar.setTotal(count.queued);
      bar.update(count.done + count.gaveUp, { eta_text: etaText(count), doing: doing(count, Math.max(20, (stream.columns ?? 80) - 60)) });
    },
    note: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

function lineDisplay(stream: NodeJS.WriteStream, counts: ReadonlyMap<Stage, StageCount>): Display {
  let changed = false;
  const timer = setInterval(() => {
    if (changed) stream.write(`${summary(counts)}\n`);
    changed = false;
  }, LINE_EVERY_MS);
  timer.unref();
  return {
    update() {
      changed = true;
    },
    note: (text) => void stream.write(`${text}\n`),
    stop: () => clearInterval(timer),
  };
}

function summary(counts: ReadonlyMap<Stage, StageCount>): string {
  const stages = [...counts].filter(([, { queued }]) => queued > 0).map(([stage, count]) => `${stage} ${count.done + count.gaveUp}/${count.queued}`);
  const busy = [...counts.values()].flatMap(({ running }) => [...running.values()]);
  return `${stages.join(' · ')}${busy.length === 0 ? '' : ` · now: ${busy.slice(0, 3).join(', ')}`}`;
}

function etaText(count: StageCount): string {
  const finished = count.done + count.gaveUp;
  const left = count.queued - finished;
  if (finished === 0 || left <= 0) return '';
  return `~${Math.ceil((count.busyMs / finished / 1000) * (left / Math.max(1, count.running.size)))} s`;
}

function doing({ running }: StageCount, width: number): string {
  return [...running.values()].join(', ').slice(0, width);
}
