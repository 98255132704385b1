import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable, type Stream, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Contact, SandboxError } from '@granary/contract/ports';
import { TOOL_ENVIRONMENT } from './host-tools.ts';
import type { Privilege } from './privilege.ts';

export interface WrapperOptions {
  readonly privilege: Privilege;
  readonly rootfs: string;
  readonly socket: string | undefined;
  readonly workBytes: number;
  readonly ownerId: number;
  readonly cgroups: readonly string[];
  /** Whether it is recorded whom phases turn to. */
  readonly recordsContacts: boolean;
}
type CollectEnd = { readonly type: 'done'; readonly socketsLeftOut: number } | { readonly type: 'missing' } | { readonly type: 'link' };
interface PhaseStatus {
  /** As a shell sees it: above 128 for a signal. */
  readonly status: number;
  /** What the runtime itself had to complain of; empty when it did its part. */
  readonly complaint: string;
}

/** One wrapper process (wrapper.sh) and the conversation with it. Dies with this process, whatever kills that. */
export interface Wrapper {
  /** Takes the tar of bundles and inputs. */
  readonly inputs: Writable;
  /** Standard output and error of the phases. */
  readonly log: Readable;
  readonly outputs: Readable;
  /** Resolves once the inputs are placed. */
  ready(): Promise<void>;
  run(phase: number): Promise<PhaseStatus>;
  /** Of a phase that has ended. Throws SandboxError `infrastructure` when the recorder doesn't tell within seconds. */
  contacts(phase: number): Promise<{ readonly seen: readonly Contact[]; readonly leftOut: number }>;
  /** Kills a phase; {@link run} then ends. Nothing happens when it isn't running. */
  kill(phase: number): void;
  /** The tar goes to {@link outputs}, which must then be read or destroyed. The last thing that a wrapper does. */
  collect(path: string): Promise<CollectEnd>;
  /** Kills everything in it and resolves when no process of it is left. */
  destroy(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('wrapper.sh', import.meta.url));
const RECORDER = fileURLToPath(new URL('contacts/recorder.ts', import.meta.url));
/** Longer than marks are sent. */
const RECORDER_TIMEOUT_MS = 60_000;
/** Of what the wrapper itself says when it cannot go on. */
const MAX_COMPLAINT_CHARACTERS = 4000;

export function startWrapper(options: WrapperOptions): Wrapper {
  const child = spawn('setpriv', wrapperArguments(options), { env: TOOL_ENVIRONMENT, cwd: '/', stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const pipes: readonly unknown[] = child.stdio;
  const commands = writable(pipes[0]);
  const inputs = writable(pipes[3]);
  const outputs = readable(pipes[5]);
  const conversation = listen(child, { complaints: readable(pipes[2]), events: readable(pipes[4]) });
  let isCollecting = false;
  const recorded = new Map<number, Promise<string>>();
  const ask = async (command: string, answer: string): Promise<readonly string[]> => {
    const answered = conversation.next(answer);
    commands.write(`${command}\n`);
    return (await answered).split(' ');
  };
  return {
    inputs,
    log: readable(pipes[1]),
    outputs,
    ready: async () => void (await conversation.next('ready')),
    run: async (phase) => {
      if (options.recordsContacts) recorded.set(phase, expected(conversation.next(`recorded ${phase} `)));
      const [, , status, ...complaint] = await ask(`run ${phase}`, `ended ${phase} `);
      return { status: Number(status), complaint: complaint.join(' ').trim() };
    },
    async contacts(phase) {
      const told = await Promise.race([recorded.get(phase), sleep(RECORDER_TIMEOUT_MS, undefined, { ref: false })]);
      if (told === undefined) throw new SandboxError('infrastructure', `contacts of phase ${phase}: the recorder doesn't answer`);
      return { seen: conversation.takeContacts(), leftOut: Number(told.split(' ')[2]) };
    },
    kill: (phase) => void commands.write(`kill ${phase}\n`),
    collect: async (path) => {
      isCollecting = true;
      const [, ...end] = await ask(`collect ${path}`, 'collected ');
      // Its processes hold the pipe open: only their end is the end of the tar.
      child.kill('SIGKILL');
      return collectEnd(path, end);
    },
    destroy: async () => {
      child.kill('SIGKILL');
      if (!isCollecting) outputs.resume();
      await conversation.closed;
    },
  };
}

/** Awaited later, if at all: a wrapper that ends before is told of elsewhere. */
function expected<T>(event: Promise<T>): Promise<T> {
  event.catch(() => undefined);
  return event;
}

function collectEnd(path: string, [outcome, sockets]: readonly string[]): CollectEnd {
  if (outcome === 'missing' || outcome === 'link') return { type: outcome };
  if (outcome === '0') return { type: 'done', socketsLeftOut: Number(sockets) };
  throw new SandboxError('infrastructure', `collect ${path}: tar exited with ${outcome}`);
}

function wrapperArguments(options: WrapperOptions): readonly string[] {
  const { privilege, rootfs, socket, workBytes, ownerId, cgroups, recordsContacts } = options;
  const recorder = recordsContacts ? [process.execPath, RECORDER] : ['', ''];
  const user = privilege === 'root' ? [] : ['--user', '--map-root-user'];
  const namespaces = [...user, '--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  return ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'bash', SCRIPT, rootfs, socket ?? '', `${workBytes}`, `${ownerId}`, ...recorder, ...cgroups];
}

/** What the recorder says of each. */
const CONTACT = 'contact ';

interface Conversation {
  /** The next event that starts so; rejects when the wrapper ends before. One waits at a time per prefix. */
  next(prefix: string): Promise<string>;
  /** Those that were told since the last call. */
  takeContacts(): readonly Contact[];
  readonly closed: Promise<void>;
}

function listen(child: ChildProcess, { complaints, events }: { readonly complaints: Readable; readonly events: Readable }): Conversation {
  const waiting = new Map<string, PromiseWithResolvers<string>>();
  let complaint = '';
  let failure: SandboxError | undefined;
  const fail = (error: SandboxError): void => {
    failure = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  complaints.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MAX_COMPLAINT_CHARACTERS);
  });
  const contacts: Contact[] = [];
  createInterface({ input: events }).on('line', (line) => {
    if (line.startsWith(CONTACT)) contacts.push(JSON.parse(line.slice(CONTACT.length)));
    for (const [prefix, { resolve }] of waiting) {
      if (!line.startsWith(prefix)) continue;
      waiting.delete(prefix);
      resolve(line);
    }
  });
  const closed = once(child, 'close').then(
    () => fail(new SandboxError('infrastructure', `sandbox wrapper: ended (${child.signalCode ?? child.exitCode}) ${complaint.trim()}`)),
    (cause: unknown) => fail(new SandboxError('runtime-missing', 'start the sandbox wrapper: setpriv cannot be run', { cause })),
  );
  const next = (prefix: string): Promise<string> => {
    if (failure !== undefined) return Promise.reject(failure);
    const waiter = Promise.withResolvers<string>();
    waiting.set(prefix, waiter);
    return waiter.promise;
  };
  return { next, takeContacts: () => contacts.splice(0), closed };
}

/** A killed wrapper breaks its pipes under our hands; the end of the conversation tells of it. */
function survive<T extends Stream>(stream: T): T {
  return stream.on('error', () => undefined);
}

function readable(stream: unknown): Readable {
  if (stream instanceof Readable) return survive(stream);
  throw new SandboxError('infrastructure', 'start the sandbox wrapper: no pipe to it');
}

function writable(stream: unknown): Writable {
  if (stream instanceof Writable) return survive(stream);
  throw new SandboxError('infrastructure', 'start the sandbox wrapper: no pipe to it');
}
