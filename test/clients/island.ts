import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type GranaryProcess, granaryArgv, startGranary } from './granary-process.ts';
import { type Ran, type RunOptions, run } from './run.ts';

/** A network namespace with a loopback interface and nothing else, where a mirror is served: the world after every upstream is gone. */
export interface Island extends AsyncDisposable {
  /** Of the mirror, in there. */
  readonly address: string;
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The command that runs another one in there. */
  inside(argv: readonly string[]): readonly string[];
}

const LISTEN = '127.0.0.1:8080';

/** What this machine lacks for it; undefined when nothing. */
export function whyNoIsland(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces and the sandbox of a whole site need root';
  const missing = ['unshare', 'nsenter', 'ip', 'crun', 'python3'].filter((name) => !isInstalled(name));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? undefined : 'this machine allows no network namespaces';
}

/** `options` are further ones of `granary serve`. */
export async function openIsland(dataDir: string, ...options: readonly string[]): Promise<Island> {
  const serve = granaryArgv('serve', '--data', dataDir, '--listen', LISTEN, ...options);
  const server: GranaryProcess = startGranary(['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...serve]);
  const [, address = ''] = await server.saidThat(/serving .* on (http:\/\/[^;\s]+)/);
  // unshare and sh hand over to the server without a fork: its process is the one that was started.
  const inside = (argv: readonly string[]) => ['nsenter', '--target', String(server.pid), '--net', ...argv];
  return {
    address,
    inside,
    run: (argv, options) => run(inside(argv), options),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
