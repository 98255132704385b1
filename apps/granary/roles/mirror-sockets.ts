import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseInstant } from '@granary/core/model';
import { openRecordingSocket, type Served } from '@granary/driver-http-fastify';
import type { MirrorSocket } from '@granary/stage-rebuild';
import type { Serve } from '@granary/stage-serve';

/** Opens our mirror on a unix socket, one per run, so that every byte a run fetched is known to be its own. */
export interface MirrorSockets extends AsyncDisposable {
  open(moment: { readonly asOf: string }): Promise<MirrorSocket>;
}

export interface MirrorSocketsOptions {
  readonly serve: Pick<Serve, 'only'>;
  readonly ledgerSize: () => number;
  /** Where processes note their folders of sockets. */
  readonly notesDir: string;
}

/** Where the sandbox forwards to the socket (SandboxPhase.network). */
const IN_THE_SANDBOX = 'http://127.0.0.1:3128';

/** Socket paths hold at most 107 bytes: they lie in the system's folder for temporary files, and a note says where, so that what a killed process left is found. */
export async function openMirrorSockets({ serve, ledgerSize, notesDir }: MirrorSocketsOptions): Promise<MirrorSockets> {
  await mkdir(notesDir, { recursive: true });
  await removeAbandoned(notesDir);
  const id = randomUUID();
  const folder = join(tmpdir(), `granary-${id}`);
  const note = join(notesDir, `${process.pid}-${id}`);
  await writeFile(note, folder);
  await mkdir(folder, { mode: 0o700 });
  let opened = 0;
  return {
    async open({ asOf }) {
      const time = parseInstant(asOf);
      if (time === undefined) throw new RangeError(`open the mirror as of ${asOf}: not a time`);
      const size = ledgerSize();
      const served: Served[] = [];
      opened += 1;
      const path = join(folder, `${opened}.sock`);
      const server = await openRecordingSocket({
        path,
        handler: serve.only({ type: 'as-of', time, size }, IN_THE_SANDBOX),
        onServed: (one) => void served.push(one),
      });
      return {
        path,
        size,
        fetched: () =>
          served.flatMap(({ status, complete, target, sha256, sizeBytes }) => (status === 200 && complete ? [{ path: target, sha256, sizeBytes }] : [])),
        close: () => server.close(),
      };
    },
    [Symbol.asyncDispose]: () => removeNoted(note),
  };
}

async function removeAbandoned(notesDir: string): Promise<void> {
  for (const name of await readdir(notesDir)) if (!isAlive(Number.parseInt(name, 10))) await removeNoted(join(notesDir, name));
}

async function removeNoted(note: string): Promise<void> {
  const folder = await readFile(note, 'utf8').catch(() => '');
  // A note that was cut off names nothing of ours.
  if (/^granary-[0-9a-f-]{36}$/.test(basename(folder))) await rm(folder, { recursive: true, force: true });
  await rm(note, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH');
  }
}
