import { ConfigError } from '@granary/config';
import { StoreError } from '@granary/contract/ports';
import { AppError } from './app-error.ts';
import { VerifyError } from './verify/index.ts';

/** What scripts may rely on; the README has the table. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return 78;
  if (error instanceof VerifyError) return error.exitCode;
  if (error instanceof StoreError) return storeExitCode(error);
  if (!(error instanceof AppError)) return 70;
  switch (error.code) {
    case 'usage':
      return 64;
    case 'not-found':
    case 'no-data':
      return 66;
    case 'no-upstream':
    case 'unavailable':
      return 69;
    case 'in-use':
      return 75;
    case 'not-verified':
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
