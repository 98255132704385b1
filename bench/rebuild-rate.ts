import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { toPurl } from '@granary/core/model';
import { serveGit } from '@granary/services';
import { z } from 'zod';

/**
 * The share of a list of published packages that the product reproduces: mirrored, rebuilt in the sandbox, compared and judged by `granary up --once`, as a site does it. The list is a
 * JSON array of `{ecosystem, name, version, artifact}`; it is taken in the order of the sha256 of the name, so that the first N are a sample that nobody chose.
 *
 *   node bench/rebuild-rate.ts --list wheels.json [--first 60] [--skip 0] [--data folder] [--repositories folder --forge https://forge.example/]
 *
 * With bare repositories in a folder, as `owner/name.git`, packages that name one of that forge are made from its commits. A data folder that is kept is gone on with: what was judged is
 * not built again.
 */
const USAGE =
  'usage: node bench/rebuild-rate.ts --list list.json [--first 60] [--skip 0] [--data folder] [--repositories folder --forge https://forge.example/]\n';
const TARGET = 0.85;
const Entry = z.object({ ecosystem: z.string(), name: z.string(), version: z.string(), artifact: z.string() });
type Entry = z.output<typeof Entry>;
const Outcome = z.object({
  purl: z.string(),
  filename: z.string(),
  verdict: z.string(),
  rung: z.string().nullable(),
  sourceTier: z.string().nullable(),
  failureClass: z.string().nullable(),
  findings: z.array(z.string()),
  seconds: z.number(),
});
type Outcome = z.output<typeof Outcome>;
const Report = z.object({
  artifacts: z.array(Outcome),
  failures: z.array(z.object({ job: z.string(), error: z.string() })),
  missing: z.record(z.string(), z.array(z.string())),
});
type Report = z.output<typeof Report>;

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    list: { type: 'string' },
    first: { type: 'string', default: '60' },
    skip: { type: 'string', default: '0' },
    data: { type: 'string' },
    repositories: { type: 'string' },
    forge: { type: 'string' },
  },
});
if (values.list === undefined || (values.repositories === undefined) !== (values.forge === undefined)) {
  process.stderr.write(USAGE);
  process.exit(64);
}
const skip = Number(values.skip);
const sample = sampleOf(z.array(Entry).parse(JSON.parse(await readFile(values.list, 'utf8')))).slice(skip, skip + Number(values.first));
const folder = values.data ?? (await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'granary-bench-rebuild-')));
await mkdir(folder, { recursive: true });
const started = performance.now();
const forge = values.repositories === undefined ? undefined : await serveGit(values.repositories);
await configure(sample, folder, values.forge === undefined || forge === undefined ? {} : { [values.forge]: forge.base });
const report = await rebuild(folder);
await forge?.close();
process.stdout.write(render(sample, report, (performance.now() - started) / 1000));

/** By the sha256 of the name: an order that has nothing to do with what is easy. */
function sampleOf(list: readonly Entry[]): readonly Entry[] {
  const rank = ({ name }: Entry) => createHash('sha256').update(name).digest('hex');
  return list.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** Watched are SBOMs (CycloneDX 1.6) that name each release and no dependency: the list is the closure. */
async function configure(list: readonly Entry[], at: string, insteadOf: Readonly<Record<string, string>>): Promise<void> {
  const watch: unknown[] = [];
  for (const [ecosystem, entries] of Map.groupBy(list, (entry) => entry.ecosystem)) {
    const components = entries.map((entry) => ({ type: 'library', name: entry.name, version: entry.version, purl: purlOf(entry) }));
    await writeFile(join(at, `${ecosystem}.cdx.json`), JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components }));
    // A release of Python has other files, which nobody asked for.
    watch.push({ sbom: `${ecosystem}.cdx.json`, ...(ecosystem === 'pypi' ? { files: entries.map(({ artifact }) => artifact) } : {}) });
  }
  const repositories = { mirror: Object.keys(insteadOf).length === 0 ? 'watched' : 'named-by-packages', insteadOf };
  await writeFile(join(at, 'granary.yaml'), JSON.stringify({ watch, repositories }));
}

function purlOf({ ecosystem, name, version }: Entry): string {
  return toPurl(`pkg:${ecosystem}/${name.replace('@', '%40')}@${version}`);
}

async function rebuild(at: string): Promise<Report> {
  const options = ['--once', '--json', '--listen', '127.0.0.1:0', '--config', join(at, 'granary.yaml'), '--data', join(at, 'data')];
  const child = spawn(join(root, 'granary'), ['up', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  const last = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  if (last === '') throw new Error(`granary up ended without a report; what it has done so far is in ${at}, and is gone on with by --data ${at}`);
  return Report.parse(JSON.parse(last));
}

/** Of a release with several files, the one on the list. */
function outcomeOf(entry: Entry, artifacts: readonly Outcome[]): Outcome {
  const purl = purlOf(entry);
  const ofRelease = artifacts.filter((outcome) => outcome.purl.split('?')[0] === purl);
  const found = ofRelease.find(({ filename }) => filename === entry.artifact) ?? ofRelease[0];
  return found ?? { purl, filename: entry.artifact, verdict: 'error', rung: null, sourceTier: null, failureClass: 'not mirrored', findings: [], seconds: 0 };
}

function render(list: readonly Entry[], { artifacts, failures, missing }: Report, seconds: number): string {
  const all = list.map((entry) => outcomeOf(entry, artifacts));
  const good = all.filter(({ verdict }) => verdict === 'reproduced' || verdict === 'reproduced-normalized');
  const share = good.length / all.length;
  return [
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, node ${process.version}: ${all.length} packages in ${Math.round(seconds)} s\n`,
    ...table(
      ['verdict', 'rung, failure class or cause', 'source', 'packages', 'share'],
      counted(all).map(([verdict, why, tier, count]) => [verdict, why, tier, String(count), percent(count / all.length)]),
    ),
    `\nreproduced or reproduced-normalized: ${good.length} of ${all.length}, ${percent(share)} (target ${percent(TARGET)}: ${share >= TARGET ? 'met' : 'missed'})\n`,
    ...table(
      ['not reproduced', 'verdict', 'why', 'findings'],
      all
        .filter((outcome) => !good.includes(outcome))
        .map(({ purl, filename, verdict, failureClass, findings }) => [purl.split('?')[0] ?? filename, verdict, failureClass ?? '', findings.join(', ')]),
    ),
    ...failures.map(({ job, error }) => `gave up on ${job}: ${error}`),
    ...Object.values(missing).flat(),
    '',
  ].join('\n');
}

function counted(all: readonly Outcome[]): readonly (readonly [verdict: string, why: string, tier: string, count: number])[] {
  const why = ({ rung, failureClass }: Outcome): string => rung ?? failureClass ?? '';
  const groups = Map.groupBy(all, (outcome) => JSON.stringify([outcome.verdict, why(outcome), outcome.sourceTier]));
  return [...groups.values()]
    .flatMap(([first, ...rest]) => (first === undefined ? [] : [[first.verdict, why(first), first.sourceTier ?? '', rest.length + 1] as const]))
    .toSorted((a, b) => b[3] - a[3]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
