import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseInstant } from '@granary/core/model';
import { openRecordingSocket, type Served } from '@granary/driver-http-fastify';
import type { MirrorSocket } from '@granary/stage-rebuild';
import type { Serve } from '@granary/stage-serve';

/** Opens our mirror on a unix socket, one per run, so that every byte a run fetched is known to be its own. */
export interface MirrorSockets extends AsyncDisposable {
  open(moment: { readonly asOf: string }): Promise<MirrorSocket>;
}

/** Socket paths hold at most 107 bytes: they lie in the system's folder for temporary files. */
export async function openMirrorSockets(serve: Pick<Serve, 'only'>, ledgerSize: () => number): Promise<MirrorSockets> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-'));
  let opened = 0;
  return {
    async open({ asOf }) {
      const time = parseInstant(asOf);
      if (time === undefined) throw new RangeError(`open the mirror as of ${asOf}: not a time`);
      const size = ledgerSize();
      const served: Served[] = [];
      opened += 1;
      const path = join(folder, `${opened}.sock`);
      const server = await openRecordingSocket({ path, handler: serve.only({ type: 'as-of', time, size }), onServed: (one) => void served.push(one) });
      return {
        path,
        size,
        fetched: () =>
          served.flatMap(({ status, complete, target, sha256, sizeBytes }) => (status === 200 && complete ? [{ path: target, sha256, sizeBytes }] : [])),
        close: () => server.close(),
      };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
