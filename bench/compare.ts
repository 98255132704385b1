import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { compareArtifacts } from '@granary/core/compare';
import { pypi } from '@granary/ecosystem-pypi';

/**
 * Compares pairs of real wheels with Granary and with diffoscope, in the same run. Needs python3 with pip, and
 * diffoscope. The wheels are fetched once, by pip, from wherever pip on this machine fetches.
 */
const WHEELS = [
  'six==1.16.0',
  'click==8.1.7',
  'requests==2.32.3',
  'attrs==23.2.0',
  'jinja2==3.1.4',
  'rich==13.7.1',
  'urllib3==2.2.1',
  'setuptools==69.0.0',
  'pytz==2024.1',
  'django==5.0.4',
];
const TARGET = 20;
const PROCESS_RUNS = 3;
const INNER_RUNS = 15;

/** The same files with other times, and again with one line more in one of them. */
const REPACK = `
import copy, sys, zipfile
source, times, line = sys.argv[1:]
with zipfile.ZipFile(source) as a, zipfile.ZipFile(times, 'w', zipfile.ZIP_DEFLATED) as t, zipfile.ZipFile(line, 'w', zipfile.ZIP_DEFLATED) as l:
    done = False
    for info in a.infolist():
        data = a.read(info)
        info = copy.copy(info)
        info.date_time = (2021, 5, 6, 7, 8, 10)
        t.writestr(copy.copy(info), data)
        if not done and info.filename.endswith('.py') and len(data) > 1000:
            data, done = data.replace(b'\\n', b'\\n# one more line\\n', 1), True
        l.writestr(copy.copy(info), data)
`;

interface Pair {
  readonly name: string;
  readonly upstream: string;
  readonly rebuild: string;
}
interface Timing {
  readonly name: string;
  readonly diffoscopeMs: number;
  readonly processMs: number;
  readonly innerMs: number;
}

/** Node as the `granary` command starts it, which keeps compiled code between runs. */
const GRANARY = [
  'env',
  `NODE_COMPILE_CACHE=${join(tmpdir(), 'granary-bench-compare', 'compile-cache')}`,
  process.execPath,
  join(import.meta.dirname, 'compare-once.ts'),
];

const pairs = preparePairs(join(tmpdir(), 'granary-bench-compare'));
process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}, ${versionOf('diffoscope')}\n\n`);
process.stdout.write(row(['pair', 'diffoscope', 'granary, a process', 'ratio', 'granary, in a service', 'ratio']));
const timings: Timing[] = [];
for (const pair of pairs) {
  const timing = await timePair(pair);
  timings.push(timing);
  process.stdout.write(
    row([
      timing.name,
      ms(timing.diffoscopeMs),
      ms(timing.processMs),
      times(timing.diffoscopeMs / timing.processMs),
      ms(timing.innerMs),
      times(timing.diffoscopeMs / timing.innerMs),
    ]),
  );
}
report(timings);

function preparePairs(folder: string): readonly Pair[] {
  const wheels = join(folder, 'wheels');
  const repacked = join(folder, 'repacked');
  mkdirSync(repacked, { recursive: true });
  execFileSync(
    'python3',
    ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:', '--dest', wheels, ...WHEELS],
    { stdio: 'inherit' },
  );
  return readdirSync(wheels)
    .sort()
    .flatMap((file) => {
      const upstream = join(wheels, file);
      const [otherTimes, line] = [join(repacked, `times-${file}`), join(repacked, `line-${file}`)];
      execFileSync('python3', ['-c', REPACK, upstream, otherTimes, line]);
      const name = file.split('-').slice(0, 2).join(' ');
      return [
        { name: `${name}, other times`, upstream, rebuild: otherTimes },
        { name: `${name}, one line more`, upstream, rebuild: line },
      ];
    });
}

async function timePair({ name, upstream, rebuild }: Pair): Promise<Timing> {
  const processRuns: number[] = [];
  const diffoscopeRuns: number[] = [];
  for (let run = 0; run < PROCESS_RUNS; run += 1) {
    processRuns.push(timeProcess([...GRANARY, upstream, rebuild]));
    // Once is enough of what takes long.
    if ((diffoscopeRuns[0] ?? 0) < 5000) diffoscopeRuns.push(timeProcess(['diffoscope', '--no-progress', upstream, rebuild]));
  }
  const bytes = { upstream: readFileSync(upstream), rebuild: readFileSync(rebuild) };
  const rules = pypi.rebuilding.rulesOf(upstream);
  if (rules === undefined) throw new Error(`compare ${upstream}: no rules are known for it`);
  const innerRuns: number[] = [];
  for (let run = 0; run < INNER_RUNS; run += 1) {
    const start = performance.now();
    await compareArtifacts({ ...bytes, rules });
    innerRuns.push(performance.now() - start);
  }
  return { name, diffoscopeMs: median(diffoscopeRuns), processMs: median(processRuns), innerMs: median(innerRuns) };
}

function timeProcess([command = '', ...args]: readonly string[]): number {
  const start = performance.now();
  const { error, status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1024 * 1024 });
  const elapsed = performance.now() - start;
  // diffoscope ends with 1 when the two differ.
  if (error !== undefined || (status !== 0 && !(command === 'diffoscope' && status === 1)))
    throw new Error(`${command} ${args.join(' ')}: ended with ${status}: ${stderr}`, { cause: error });
  return elapsed;
}

function report(all: readonly Timing[]): void {
  const total = (pick: (timing: Timing) => number): number => all.reduce((sum, timing) => sum + pick(timing), 0);
  const batchMs = timeProcess([...GRANARY, ...pairs.flatMap(({ upstream, rebuild }) => [upstream, rebuild])]);
  const diffoscopeMs = total((timing) => timing.diffoscopeMs);
  const inService = median(all.map((timing) => timing.diffoscopeMs / timing.innerMs));
  process.stdout.write('\n');
  process.stdout.write(
    `all ${all.length} pairs, a process for each: diffoscope ${ms(diffoscopeMs)}, granary ${ms(total((timing) => timing.processMs))}: ${times(diffoscopeMs / total((timing) => timing.processMs))}\n`,
  );
  process.stdout.write(
    `all ${all.length} pairs, one process of ours for all of them (diffoscope takes one pair): ${ms(batchMs)}: ${times(diffoscopeMs / batchMs)}\n`,
  );
  process.stdout.write(
    `a pair in a running service, as the judge stage compares: median ratio ${times(inService)}, target ${TARGET} x: ${inService >= TARGET ? 'met' : 'missed'}\n`,
  );
}

function versionOf(command: string): string {
  return execFileSync(command, ['--version']).toString().trim();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

function times(value: number): string {
  return `${value.toFixed(1)} x`;
}

function row(cells: readonly string[]): string {
  return `${cells.map((cell, column) => (column === 0 ? cell.padEnd(32) : cell.padStart(column % 2 === 1 && column > 2 ? 9 : 22))).join('')}\n`;
}
