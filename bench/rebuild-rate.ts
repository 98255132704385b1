import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';

/**
 * The share of a list of published wheels that the product reproduces: mirrored, rebuilt in the sandbox, compared and judged by
 * `granary up --once`, as a site does it. The list is a JSON array of `{ecosystem, name, version, artifact}`; it is taken in the
 * order of the sha256 of the name, so that the first N are a sample that nobody chose. Needs uv, which pins the list by digest.
 *
 *   node bench/rebuild-rate.ts --list wheels.json [--first 60] [--skip 0] [--data folder]
 *
 * A data folder that is kept is gone on with: what was judged is not built again.
 */
const TARGET = 0.85;
const Wheel = z.object({ ecosystem: z.literal('pypi'), name: z.string(), version: z.string(), artifact: z.string() });
type Wheel = z.output<typeof Wheel>;
const Outcome = z.object({ filename: z.string(), verdict: z.string(), rung: z.string().nullable(), failureClass: z.string().nullable(), seconds: z.number() });
type Outcome = z.output<typeof Outcome>;
const Report = z.object({
  artifacts: z.array(Outcome),
  failures: z.array(z.object({ job: z.string(), error: z.string() })),
  missing: z.record(z.string(), z.array(z.string())),
});
type Report = z.output<typeof Report>;

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { list: { type: 'string' }, first: { type: 'string', default: '60' }, skip: { type: 'string', default: '0' }, data: { type: 'string' } },
});
if (values.list === undefined) {
  process.stderr.write('usage: node bench/rebuild-rate.ts --list wheels.json [--first 60] [--skip 0] [--data folder]\n');
  process.exit(64);
}
const skip = Number(values.skip);
const wheels = sampleOf(z.array(Wheel).parse(JSON.parse(await readFile(values.list, 'utf8')))).slice(skip, skip + Number(values.first));
const folder = values.data ?? (await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'granary-bench-rebuild-')));
await mkdir(folder, { recursive: true });
const started = performance.now();
const report = await rebuild(wheels, folder);
process.stdout.write(render(wheels, report, (performance.now() - started) / 1000));

/** By the sha256 of the name: an order that has nothing to do with what is easy. */
function sampleOf(list: readonly Wheel[]): readonly Wheel[] {
  const rank = ({ name }: Wheel) => createHash('sha256').update(name).digest('hex');
  return list.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

async function rebuild(sample: readonly Wheel[], at: string): Promise<Report> {
  await writeFile(join(at, 'requirements.txt'), lock(sample));
  const files = sample.map(({ artifact }) => `      - ${JSON.stringify(artifact)}\n`).join('');
  await writeFile(join(at, 'granary.yaml'), `watch:\n  - lockfile: requirements.txt\n    files:\n${files}`);
  const options = ['--once', '--json', '--listen', '127.0.0.1:0', '--config', join(at, 'granary.yaml'), '--data', join(at, 'data')];
  const child = spawn(join(root, 'granary'), ['up', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
  return Report.parse(JSON.parse(lines.at(-1) ?? ''));
}

/** Every file of each release by digest, and no dependency: the list is the closure. */
function lock(sample: readonly Wheel[]): string {
  const input = sample.map(({ name, version }) => `${name}==${version}\n`).join('');
  const options = ['--quiet', '--no-deps', '--no-build', '--generate-hashes', '--no-header', '--no-annotate', '--python-version', '3.11'];
  return execFileSync(findUv(), ['pip', 'compile', ...options, '-'], { input, encoding: 'utf8', env: { UV_SYSTEM_CERTS: 'true', ...process.env } });
}

function findUv(): string {
  const candidates = [...(process.env['PATH'] ?? '').split(':').map((path) => join(path, 'uv')), join(root, '.toolchain/uv/bin/uv')];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error('uv is missing: install it, or run examples/make-lock once, which brings it');
  return found;
}

function render(sample: readonly Wheel[], { artifacts, failures, missing }: Report, seconds: number): string {
  const outcomes = new Map(artifacts.map((outcome) => [outcome.filename, outcome]));
  const all = sample.map(
    ({ artifact }) => outcomes.get(artifact) ?? { filename: artifact, verdict: 'error', rung: null, failureClass: 'not mirrored', seconds: 0 },
  );
  const good = all.filter(({ verdict }) => verdict === 'reproduced' || verdict === 'reproduced-normalized');
  const share = good.length / all.length;
  return [
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, node ${process.version}: ${all.length} wheels in ${Math.round(seconds)} s\n`,
    ...table(
      ['verdict', 'rung, failure class or cause', 'wheels', 'share'],
      counted(all).map(([verdict, why, count]) => [verdict, why, String(count), percent(count / all.length)]),
    ),
    `\nreproduced or reproduced-normalized: ${good.length} of ${all.length}, ${percent(share)} (target ${percent(TARGET)}: ${share >= TARGET ? 'met' : 'missed'})\n`,
    ...table(
      ['not reproduced', 'verdict', 'why'],
      all.filter((outcome) => !good.includes(outcome)).map(({ filename, verdict, failureClass }) => [filename, verdict, failureClass ?? '']),
    ),
    ...failures.map(({ job, error }) => `gave up on ${job}: ${error}`),
    ...Object.values(missing).flat(),
    '',
  ].join('\n');
}

function counted(all: readonly Outcome[]): readonly (readonly [verdict: string, why: string, count: number])[] {
  const groups = Map.groupBy(all, ({ verdict, rung, failureClass }) => JSON.stringify([verdict, rung ?? failureClass ?? '']));
  return [...groups.values()]
    .map(([first, ...rest]) => [first?.verdict ?? '', first?.rung ?? first?.failureClass ?? '', rest.length + 1] as const)
    .toSorted((a, b) => b[2] - a[2]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
