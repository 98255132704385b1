import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type Ended, type GranaryOptions, granary } from '../machine/granary.ts';
import { type LoopbackUpstream, openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { downloadWheels } from '../upstream/sample-projects.ts';

/** A site of its own on an upstream that misbehaves as it is told. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly upstream: LoopbackUpstream;
  /** Writes granary.yaml. */
  watch(...lines: readonly string[]): Promise<void>;
  run(args: readonly string[], options?: GranaryOptions): Promise<Ended>;
  /** `up --once --json`, which must come to its table. */
  up(options?: GranaryOptions): Promise<UpResult>;
}

const UpResult = z.object({
  artifacts: z.array(z.object({ filename: z.string(), verdict: z.string(), failureClass: z.string().nullable() })),
  ledger: z.object({ size: z.number(), origin: z.string() }),
  failures: z.array(z.object({ job: z.string(), error: z.string() })),
});
type UpResult = z.output<typeof UpResult> & { readonly seconds: number; readonly stderr: string };

const LedgerReport = z.object({
  ledgers: z.array(z.object({ report: z.object({ size: z.number(), entries: z.record(z.string(), z.number()), problems: z.array(z.unknown()) }) })),
});

/** Of `why --json`. */
export const ExplainedAt = z.object({ artifacts: z.array(z.object({ stored: z.object({ at: z.string() }) })) });

/** The tools that builds need are at its upstream; nothing is watched yet. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-bad-input-'));
  const upstream = await openLoopbackUpstream();
  for (const { project, path } of await downloadWheels(join(folder, 'tools'), ['uv', 'flit_core>=3.11,<4'])) upstream.publishPath(path, { project });
  const watch = async (...lines: readonly string[]) =>
    await writeFile(
      join(folder, 'granary.yaml'),
      JSON.stringify({ watch: lines, upstreams: { pypi: { index: upstream.index } }, listen: '127.0.0.1:0' }, undefined, 1),
    );
  await watch();
  const run = async (args: readonly string[], options: GranaryOptions = {}) => await granary(args, { cwd: folder, ...options });
  return {
    folder,
    dataDir: join(folder, 'data'),
    upstream,
    watch,
    run,
    up: async (options) => readTable(await run(['up', '--once', '--json'], options)),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What `up --json` printed. Throws when it ended otherwise. */
export function readTable({ code, stdout, stderr, seconds }: Ended, expected = 0): UpResult {
  if (code !== expected) throw new Error(`up ended with ${code}:\n${stderr}`);
  return { ...UpResult.parse(JSON.parse(stdout)), seconds, stderr };
}

/** Entries by kind, of both ledgers, after every byte of them was verified. Throws when there is any problem. */
export async function verifiedEntries(site: Site, dataDir = site.dataDir): Promise<Readonly<Record<string, number>>> {
  const { code, stdout, stderr } = await site.run(['ledger', 'check', '--json', '--data', dataDir]);
  if (code !== 0) throw new Error(`ledger check ended with ${code}:\n${stdout}\n${stderr}`);
  const entries: Record<string, number> = {};
  for (const { report } of LedgerReport.parse(JSON.parse(stdout)).ledgers)
    for (const [kind, count] of Object.entries(report.entries)) entries[kind] = (entries[kind] ?? 0) + count;
  return entries;
}

/** Everything on standard error is a sentence of ours: no stack, no warning of Node's. */
export function isPlain(stderr: string): boolean {
  return !/\n {4}at |Warning:|\(node:\d+\)|UnhandledPromise/.test(stderr);
}
