import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pin, Resolution, ResolveRequest, Resolver } from '@granary/contract/ports';
import { ResolverError } from './resolver-error.ts';

export interface UvResolverOptions {
  /** The uv executable. */
  readonly uv: string;
  /** Folder for uv's cache and for scratch files, of one process at a time; may be deleted at any time. */
  readonly scratchDir: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 180_000;
const MAX_OUTPUT_BYTES = 4 * 2 ** 20;
const SCRATCH = 'resolve-';
/** As setpriv(1) says that what it was to start can't be started. */
const CANNOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/**
 * Resolves with `uv pip compile --no-build`: the resolver reads indexes and metadata and runs no code of any package. It inherits
 * nothing from the environment but the search path, so that the user's own settings of uv and pip don't reach it.
 */
export function openUvResolver(options: UvResolverOptions): Resolver {
  let swept: Promise<void> | undefined;
  return {
    async resolve(request) {
      const { scratchDir } = options;
      swept ??= sweep(scratchDir);
      await swept;
      const folder = await withRoom(scratchDir, mkdtemp(join(scratchDir, SCRATCH)));
      try {
        await withRoom(scratchDir, writeRequest(folder, request));
        const { code, stdout, stderr } = await run(options, argumentsFor(request), folder, request.signal);
        return code === 0 ? { ok: true, pins: parsePins(stdout) } : refusal(stderr, scratchDir);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Removes what a killed process left. */
async function sweep(scratchDir: string): Promise<void> {
  for (const name of await readdir(scratchDir)) if (name.startsWith(SCRATCH)) await rm(join(scratchDir, name), { recursive: true, force: true });
}

async function writeRequest(folder: string, { requirements, constraints = [] }: ResolveRequest): Promise<void> {
  await writeFile(join(folder, 'requirements.in'), `${requirements.join('\n')}\n`);
  await writeFile(join(folder, 'constraints.in'), `${constraints.join('\n')}\n`);
}

async function withRoom<T>(scratchDir: string, step: Promise<T>): Promise<T> {
  return await step.catch((cause: unknown) => {
    throw cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT') ? diskFull(scratchDir, cause) : cause;
  });
}

function diskFull(scratchDir: string, cause?: Error): ResolverError {
  return new ResolverError(
    'disk-full',
    `resolve: the disk of ${scratchDir} is full; nothing stored is harmed: free some space (or inodes, or quota) and run again`,
    { cause },
  );
}

function argumentsFor(request: ResolveRequest): readonly string[] {
  return [
    'pip',
    'compile',
    'requirements.in',
    '--constraint',
    'constraints.in',
    '--no-build',
    '--no-header',
    '--no-annotate',
    '--quiet',
    '--no-config',
    '--no-progress',
    '--no-python-downloads',
    '--default-index',
    request.indexUrl,
    '--python-version',
    request.runtimeVersion,
    ...(request.before === undefined ? [] : ['--exclude-newer', request.before]),
    ...(request.scope === 'universal' ? ['--universal'] : ['--python-platform', 'x86_64-manylinux_2_36']),
  ];
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(options: UvResolverOptions, args: readonly string[], cwd: string, signal: AbortSignal | undefined): Promise<Ended> {
  const { timeoutMs = TIMEOUT_MS } = options;
  // Dies with us, whatever kills us: nobody would read its answer. A group of its own: a Ctrl-C that is meant for us is handed on when we decide so.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', options.uv, ...args], {
    cwd,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: cwd, UV_CACHE_DIR: join(options.scratchDir, 'uv-cache'), LC_ALL: 'C.UTF-8', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(signal?.aborted ? signal.reason : new ResolverError('unavailable', `run ${options.uv}: ${cause.message}`, { cause })));
    child.on('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  if (code === null) throw new ResolverError('killed', `resolve: uv was ended ${child.killed ? `after ${timeoutMs / 1000} s` : `by ${child.signalCode}`}`);
  if (CANNOT_RUN.has(code)) throw new ResolverError('unavailable', `run ${options.uv}: ${stderr.trim()}`);
  return { code, stdout, stderr };
}

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `name==version` with an optional marker, one a line; of universal resolutions one name may have several versions. */
function parsePins(stdout: string): readonly Pin[] {
  const pins = new Map<string, Pin>();
  for (const line of stdout.split('\n')) {
    const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;]+)/.exec(line.trim()) ?? [];
    if (name !== undefined && version !== undefined) pins.set(`${name} ${version}`, { name, version });
  }
  return [...pins.values()];
}

/** uv says in prose why there is no solution; what can't be had at all is told from what excludes itself. A broken connection or disk is neither. */
function refusal(stderr: string, scratchDir: string): Resolution {
  // ENOSPC and EDQUOT, as Rust says them; uv says of others too what the system refused.
  if (/\(os error (28|122)\)/.test(stderr)) throw diskFull(scratchDir);
  const detail = stderr
    .replace(/\s+/g, ' ')
    .replace(/^.*?No solution found when resolving dependencies[^:]*(:\s*╰─▶| cause:)\s*/, '')
    .trim()
    .slice(0, 2000);
  if (/error sending request|Failed to fetch|connection (refused|reset)|HTTP status server error|tcp connect|\(os error \d+\)/i.test(stderr))
    throw new ResolverError('unavailable', `resolve: ${detail}`);
  const isMissing =
    /not found in the package registry|there (is|are) no versions? of|has no wheels|no wheels with a matching|building (from )?source|was not found|unsatisfiable because there are no/i.test(
      stderr,
    );
  return { ok: false, why: isMissing ? 'unavailable' : 'conflict', detail };
}
