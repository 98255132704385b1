import { RepositoryError, type UploadPackRequest } from '@granary/contract/ports';
import { feed } from './feed.ts';
import { gitFault, tellsDamage } from './git-fault.ts';
import type { GitEnd, GitProcess, GitRunner } from './git-process.ts';
import type { Place } from './sandbox-arguments.ts';

export interface ServingLimits {
  /** Of what a client asks: its wants and haves. */
  readonly maxRequestBytes: number;
  /** Without a byte in or out. */
  readonly idleMs: number;
  readonly timeoutMs: number;
}
export interface Serving {
  readonly runner: GitRunner;
  readonly places: readonly Place[];
  readonly limits: ServingLimits;
}
interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
  /** Resolves when no process of it is left; rejects when git met a damaged pack, whatever it told the client. */
  readonly ended: Promise<unknown>;
}

const WHAT = 'upload pack';
/** What a clone of the largest repositories takes without a bitmap, several times over. */
const MAX_CPU_SECONDS = 900;
/** gitprotocol-http(5), smart server response: only where the client didn't ask for version 2. */
const SERVICE_LINE = Buffer.from('001e# service=git-upload-pack\n0000');

/**
 * Starts native upload-pack for one request. `body` is the whole answer of gitprotocol-http(5). Resolves with its first bytes, so that what git refuses outright is an
 * error and not half an answer; throws when git was ended in the middle. What git itself says in the answer is no error here.
 */
export async function uploadPack({ runner, places, limits }: Serving, { operation, protocol, body, signal }: UploadPackRequest): Promise<Answer> {
  const version = protocolOf(protocol);
  const process = runner.start({
    args: ['upload-pack', '--stateless-rpc', '--strict', ...(operation === 'advertise' ? ['--http-backend-info-refs'] : []), '/repo'],
    places,
    timeoutMs: limits.timeoutMs,
    limits: { cpuSeconds: MAX_CPU_SECONDS, fileBytes: 65_536 },
    ...(version === '' ? {} : { environment: { GIT_PROTOCOL: version } }),
    ...(signal === undefined ? {} : { signal }),
  });
  const idle = stopWhenIdle(process, limits.idleMs);
  const fed = feedRequest(process, operation === 'advertise' ? nothing() : body, { maxBytes: limits.maxRequestBytes, onBytes: idle.refresh });
  const answer = answerOf(process, fed, idle);
  const first = await answer.next();
  const prefix = operation === 'advertise' && !asksForVersion2(version) ? [SERVICE_LINE] : [];
  return { body: whole(prefix, first, answer), ended: Promise.all([process.ended.then(refuseDamage), fed]) };
}

/** gitprotocol-common(5): pairs of key and value with colons between. Others than `version` are nothing that we know to be harmless. */
function protocolOf(header: string | undefined): string {
  const parts = (header ?? '').slice(0, 256).split(':');
  return parts.filter((part) => /^version=\d$/.test(part)).join(':');
}

function asksForVersion2(protocol: string): boolean {
  return protocol.split(':').includes('version=2');
}

interface Idle {
  refresh(): void;
  end(): void;
}

function stopWhenIdle(process: GitProcess, idleMs: number): Idle {
  const timer = setTimeout(() => process.stop('timeout'), idleMs);
  return { refresh: () => void timer.refresh(), end: () => clearTimeout(timer) };
}

interface Feeding {
  readonly maxBytes: number;
  onBytes(): void;
}

/** What went wrong with the request, if anything did; the process is ended then. */
async function feedRequest(process: GitProcess, body: AsyncIterable<Uint8Array>, { maxBytes, onBytes }: Feeding): Promise<unknown> {
  try {
    await feed(body, process.stdin, (totalBytes) => {
      onBytes();
      if (totalBytes > maxBytes) throw new RepositoryError('too-large', `${WHAT}: the request has more than ${maxBytes} bytes`);
    });
    return undefined;
  } catch (error) {
    process.stop('abort');
    return error;
  }
}

async function* answerOf(process: GitProcess, fed: Promise<unknown>, idle: Idle): AsyncGenerator<Uint8Array, void> {
  let isAnswered = false;
  let end: GitEnd | undefined;
  try {
    for await (const chunk of chunks(process)) {
      isAnswered = true;
      idle.refresh();
      yield chunk;
      idle.refresh();
    }
    end = await process.ended;
  } finally {
    idle.end();
    if (end === undefined) process.stop('abort');
  }
  const fault = (await fed) ?? faultOf(end, isAnswered);
  if (fault !== undefined) throw fault;
}

/** A stream that we destroyed ends: the end of its process says why. */
async function* chunks({ stdout }: GitProcess): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stdout) yield chunk;
  } catch (error) {
    if (!stdout.destroyed) throw error;
  }
}

/** 128 is how git dies: it has told the client why, once it has told anything. More is a signal: the answer is cut off, and must not look whole. */
function faultOf(end: GitEnd, isAnswered: boolean): RepositoryError | undefined {
  if (end.status === 0 && end.stopped === undefined) return undefined;
  return isAnswered && end.stopped === undefined && end.status <= 128 ? undefined : gitFault(WHAT, end);
}

function refuseDamage(end: GitEnd): void {
  const fault = end.status === 0 ? undefined : gitFault(WHAT, end);
  if (tellsDamage(fault)) throw fault;
}

async function* whole(prefix: readonly Uint8Array[], first: IteratorResult<Uint8Array, void>, rest: AsyncGenerator<Uint8Array, void>) {
  try {
    yield* prefix;
    if (first.done !== true) {
      yield first.value;
      yield* rest;
    }
  } finally {
    await rest.return();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // Who asks for refs by protocol 2 says more in the next request.
}
