import { execFileSync, spawnSync } from 'node:child_process';
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

/** Whether a tool can be run here; tests that need it are skipped by name where it can't. */
export function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;
}
