import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a shell script in a new folder and returns the bytes of the file `out` that it left there. */
export function madeBy(script: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'granary-archive-'));
  try {
    execFileSync('sh', ['-euc', script], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    return readFileSync(join(folder, 'out'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
