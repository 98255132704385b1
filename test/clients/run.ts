import { spawn } from 'node:child_process';

/** How a command ended, and all that it said. */
export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error, as a person at a terminal sees them. */
  readonly said: string;
  readonly seconds: number;
}
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A first run mirrors and rebuilds a whole watch list. */
const TIMEOUT_MS = 1_200_000;
const MAX_CHARACTERS = 1_000_000;

/** Runs a command to its end, whatever the end is. Rejects only when it can't be started. */
export async function run([command = '', ...args]: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const startedAt = performance.now();
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_CHARACTERS)));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, said, seconds: (performance.now() - startedAt) / 1000 };
}

/** For what must succeed before anything can be shown. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await run(argv, options);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: exit ${ran.code}\n${ran.said}`);
  return ran;
}
