import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@granary/config';

/** Where things lie on this machine. `keys` are secret; what is `derived` can be made again; no two processes have the same data folder. */
export interface DataPaths {
  readonly root: string;
  readonly keys: string;
  readonly derived: string;
  readonly catalog: string;
  readonly rootfs: string;
  readonly resolver: string;
  readonly tools: string;
  readonly sandbox: string;
  /** What repositories are served from. */
  readonly git: string;
  /** What is on its way to a store that is elsewhere. */
  readonly spool: string;
  /** Notes of where the sockets of each process lie. */
  readonly sockets: string;
  /** Notes of what failed, for those who ask from another process. */
  readonly failures: string;
  /** Key of the public ledger and of the site's statements, for those who verify. */
  readonly publicKey: string;
}

export function dataPaths({ dataDir, keysDir }: Pick<Config, 'dataDir' | 'keysDir'>): DataPaths {
  const derived = join(dataDir, 'derived');
  return {
    root: dataDir,
    keys: keysDir,
    derived,
    catalog: join(derived, 'catalog.sqlite'),
    rootfs: join(derived, 'rootfs'),
    resolver: join(derived, 'resolver'),
    tools: join(derived, 'tools'),
    sandbox: join(derived, 'sandbox'),
    git: join(derived, 'git'),
    spool: join(derived, 'spool'),
    sockets: join(derived, 'sockets'),
    failures: join(derived, 'failures.json'),
    // Beside the keys where they have a place of their own, so that a node that only serves needs nothing secret.
    publicKey: join(keysDir === join(dataDir, 'keys') ? dataDir : keysDir, 'granary.pub'),
  };
}

export async function removeCatalog(paths: DataPaths): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${paths.catalog}${suffix}`, { force: true });
}
