import { ConfigError } from '@granary/config';
import { CatalogError, SandboxError, StoreError, UpstreamError } from '@granary/contract/ports';
import { HttpError } from '@granary/driver-http-fastify';
import { LockError as PostgresLockError } from '@granary/driver-lock-postgres';
import { LockError } from '@granary/driver-lock-sqlite';
import { QueueError } from '@granary/driver-queue-bullmq';
import { KeyError } from '@granary/driver-signer-key';
import { DebError } from '@granary/ecosystem-deb';
import { LedgerError } from '@granary/stage-ledger';
import { AppError } from './app-error.ts';
import { diskFaultOf } from './disk-fault.ts';
import { VerifyError } from './verify/index.ts';

/** What scripts may rely on: `--help` prints it, and the README has the same table. Above 63 they are those of sysexits.h. */
export const EXIT_CODES: readonly (readonly [codes: string, meaning: string])[] = [
  ['0', 'done, and nothing to complain about'],
  ['1', 'done, and the answer is bad news: a check failed, an artifact is not what it claims'],
  ['3, 10 to 24', '`verify` only: each reason to refuse a file has its own'],
  ['64', 'the command line was not understood'],
  ['66', 'what was asked for is not held here'],
  ['69', 'something outside is missing: an upstream, a system package; the message says how to get it'],
  ['70', 'a fault of Granary'],
  ['74', 'the disk or the store: full, not writable, damaged'],
  ['75', 'another process has the data folder or the address'],
  ['78', 'the configuration was not understood; file, line and what was expected are named'],
  ['130, 143', 'ended by Ctrl-C or SIGTERM; the next start goes on from there'],
];

/** The code of an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof VerifyError) return error.exitCode;
  if (error instanceof ConfigError) return 78;
  if (diskFaultOf(error) !== undefined) return 74;
  if (error instanceof AppError) return appExitCode(error);
  if (error instanceof StoreError) return storeExitCode(error);
  return foreignExitCode(error);
}

/** Of the errors that packages throw. */
function foreignExitCode(error: unknown): number {
  if (error instanceof KeyError) return error.code === 'unwritable' ? 74 : 78;
  if (error instanceof HttpError) return error.code === 'address-in-use' ? 75 : 69;
  if (error instanceof LockError) return error.code === 'busy' ? 75 : 74;
  if (error instanceof PostgresLockError || error instanceof QueueError) return 69;
  if (error instanceof LedgerError) return error.code === 'lost-lock' ? 75 : error.code === 'bad-request' ? 70 : 74;
  if (error instanceof CatalogError) return 74;
  if (error instanceof SandboxError) return error.code === 'bad-request' ? 70 : 69;
  if (error instanceof UpstreamError || error instanceof DebError) return 69;
  return 70;
}

function appExitCode(error: AppError): number {
  switch (error.code) {
    case 'usage':
      return 64;
    case 'not-found':
    case 'no-data':
      return 66;
    case 'no-upstream':
    case 'unavailable':
      return 69;
    case 'problems-found':
      return 1;
  }
}

function storeExitCode(error: StoreError): number {
  switch (error.code) {
    case 'disk-full':
    case 'read-only':
    case 'unreachable':
      return 74;
    case 'in-use':
      return 75;
    case 'key-taken':
    case 'digest-mismatch':
    case 'too-large':
    case 'immutable':
      return 70;
  }
}
