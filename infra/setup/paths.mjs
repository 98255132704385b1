import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const TOOLCHAIN = join(ROOT, '.toolchain');
/** Links to the Node and pnpm in use, whether they are the machine's or our own; the launchers look nowhere else. */
export const BIN = join(TOOLCHAIN, 'bin');
export const LOCKFILE = join(ROOT, 'pnpm-lock.yaml');
/** A copy of the lockfile that `node_modules` was installed from: equal means nothing to do. It goes away with `node_modules`. */
export const INSTALLED_LOCKFILE = join(ROOT, 'node_modules', '.installed-lock.yaml');
