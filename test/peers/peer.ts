import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mustRun } from '../clients/run.ts';
import { freePort } from '../clients/running-mirror.ts';

/** Software of others that keeps what it fetched from a registry, and passes it on. */
export interface Peer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
}
export interface PeerPlace {
  /** What it keeps lies here: nothing, the first time. */
  readonly folder: string;
  /** The registry that it asks, as its own settings name it. */
  readonly upstream: string;
  /** Another network to run in: gives the command that enters it. */
  readonly inside?: (argv: readonly string[]) => readonly string[];
}
interface PeerProcess extends Pick<PeerPlace, 'inside'> {
  readonly argv: (port: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** A path that answers once it is ready. */
  readonly ready: string;
}

const MAX_CHARACTERS = 16_384;
/** Runs where the peer runs: its address means something else in another network. */
const UNTIL_ANSWERED = `
const until = Date.now() + 300_000;
for (;;) {
  const answer = await fetch(process.argv[1]).catch(() => undefined);
  if (answer !== undefined) process.exit(0);
  if (Date.now() > until) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
}`;

export async function startPeer({ argv, env, cwd, ready, inside = (same) => same }: PeerProcess): Promise<Peer> {
  const address = `http://127.0.0.1:${await freePort()}`;
  const [command = '', ...args] = inside(argv(new URL(address).port));
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  // Read on after the start as well: a pipe that fills up stops the peer.
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_CHARACTERS)));
  try {
    await mustRun(inside([process.execPath, '--input-type=module', '-e', UNTIL_ANSWERED, `${address}${ready}`]));
  } catch (cause) {
    await end(child);
    throw new Error(`${args[0]} doesn't answer:\n${said}`, { cause });
  }
  return { address, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
