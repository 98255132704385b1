import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where things lie in a data folder. `public` and `private` are the truth; `keys` are secret; the rest can be made again. */
export interface DataPaths {
  readonly root: string;
  readonly public: string;
  readonly private: string;
  readonly keys: string;
  readonly lock: string;
  readonly derived: string;
  readonly catalog: string;
  readonly rootfs: string;
  readonly resolver: string;
  readonly tools: string;
  readonly sandbox: string;
  /** Notes of where the sockets of each process lie. */
  readonly sockets: string;
  /** Key of the public ledger and of the site's statements, for those who verify. */
  readonly publicKey: string;
}

export function dataPaths(root: string): DataPaths {
  const derived = join(root, 'derived');
  return {
    root,
    public: join(root, 'public'),
    private: join(root, 'private'),
    keys: join(root, 'keys'),
    lock: join(root, 'ledger-heads.sqlite'),
    derived,
    catalog: join(derived, 'catalog.sqlite'),
    rootfs: join(derived, 'rootfs'),
    resolver: join(derived, 'resolver'),
    tools: join(derived, 'tools'),
    sandbox: join(derived, 'sandbox'),
    sockets: join(derived, 'sockets'),
    publicKey: join(root, 'granary.pub'),
  };
}

export async function removeCatalog(paths: DataPaths): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${paths.catalog}${suffix}`, { force: true });
}
