import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { startDeployment } from '@granary/distributed';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

/**
 * The same job done by one worker and by two, each as processes of their own over Redis, PostgreSQL and an S3 service on this machine:
 * files mirrored a second, and wheels rebuilt a minute. Every worker builds one wheel at a time, so that two have a core each.
 *
 *   node bench/distributed.ts [--config granary.yaml]
 */
const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { config: { type: 'string', default: join(root, 'granary.yaml') } } });
const Line = z.object({ event: z.string(), stage: z.string(), id: z.string() });
type Measured = 'sync' | 'rebuild';

interface Span {
  readonly jobs: number;
  readonly seconds: number;
}
interface Outcome {
  readonly workers: number;
  readonly spans: Readonly<Record<Measured, Span>>;
  readonly seconds: number;
}

const outcomes: Outcome[] = [];
for (const workers of [1, 2]) {
  const folder = await mkdtemp(join(tmpdir(), 'granary-bench-distributed-'));
  // PostgreSQL runs as a user of its own, who must get there.
  await chmod(folder, 0o711);
  try {
    process.stderr.write(`${workers} ${workers === 1 ? 'worker' : 'workers'}\n`);
    outcomes.push(await measure(folder, workers));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
process.stdout.write(render(outcomes));

async function measure(folder: string, workers: number): Promise<Outcome> {
  const config = await oneBuildAtATime(folder);
  const times = new Map<Measured, { first: number; last: number; jobs: number }>();
  const learn = (line: string) => {
    const { data } = Line.safeParse(jsonOf(line));
    if (data === undefined) return;
    const { stage, event } = data;
    if ((stage !== 'sync' && stage !== 'rebuild') || (event !== 'started' && event !== 'done')) return;
    const now = performance.now();
    const known = times.get(stage) ?? { first: now, last: now, jobs: 0 };
    times.set(stage, { first: known.first, last: now, jobs: known.jobs + (event === 'done' ? 1 : 0) });
  };
  await using deployment = await startDeployment({
    folder: join(folder, 'deployment'),
    config,
    granary: [join(root, 'granary')],
    workers,
    nodePorts: [],
    more: { scheduler: ['--once', '--json', '--events'] },
    onLine: (name, line) => (name === 'scheduler' ? learn(line) : process.stderr.write(`${name}: ${line}\n`)),
  });
  const code = await deployment.scheduler.ended;
  if (code !== 0) throw new Error(`the scheduler ended with ${code}`);
  const spanOf = (stage: Measured): Span => {
    const { first, last, jobs } = times.get(stage) ?? { first: 0, last: 0, jobs: 0 };
    return { jobs, seconds: (last - first) / 1000 };
  };
  const all = [...times.values()];
  const seconds = (Math.max(...all.map(({ last }) => last)) - Math.min(...all.map(({ first }) => first))) / 1000;
  return { workers, seconds, spans: { sync: spanOf('sync'), rebuild: spanOf('rebuild') } };
}

/** The watch list with its lockfiles, in a folder of its own. */
async function oneBuildAtATime(folder: string): Promise<string> {
  const given = z.looseObject({ watch: z.array(z.unknown()) }).parse(parse(await readFile(values.config, 'utf8')));
  for (const line of given.watch.filter((item) => typeof item === 'string').filter((item) => !item.startsWith('pkg:'))) {
    await mkdir(dirname(join(folder, line)), { recursive: true });
    await copyFile(join(dirname(values.config), line), join(folder, line));
  }
  const config = join(folder, 'granary.yaml');
  await writeFile(config, stringify({ ...given, rebuild: { concurrency: 1 } }));
  return config;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function render(all: readonly Outcome[]): string {
  const rate = ({ jobs, seconds }: Span) => jobs / seconds;
  const [one] = all;
  const rows = all.map(({ workers, spans, seconds }) => {
    const ratio = (stage: Measured) => (one === undefined ? 0 : rate(spans[stage]) / rate(one.spans[stage])).toFixed(2);
    const cells = [
      workers,
      `${rate(spans.sync).toFixed(1)} (${spans.sync.jobs} in ${spans.sync.seconds.toFixed(0)} s)`,
      ratio('sync'),
      `${(60 * rate(spans.rebuild)).toFixed(1)} (${spans.rebuild.jobs} in ${spans.rebuild.seconds.toFixed(0)} s)`,
      ratio('rebuild'),
      `${seconds.toFixed(0)} s`,
    ];
    return `| ${cells.join(' | ')} |\n`;
  });
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}`;
  return `${machine}\n\n| workers | files mirrored a second | ratio | rebuilds a minute | ratio | first job to last |\n|---|---|---|---|---|---|\n${rows.join('')}`;
}
