import type { Config } from '@granary/config';
import { openEventLines } from '../output/event-lines.ts';
import { openProgress } from '../output/progress.ts';
import type { RunOptions } from '../roles/run-up.ts';

export interface RoleCommand {
  readonly config: Config;
  readonly progress: 'shown' | 'lines';
  readonly environment: NodeJS.ProcessEnv;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Runs one role until the signal aborts, and shows what it does. */
export async function runRole(run: (options: RunOptions) => Promise<void>, { config, environment, stderr, signal, ...command }: RoleCommand): Promise<void> {
  const progress = command.progress === 'lines' ? openEventLines(stderr) : openProgress(stderr);
  try {
    await run({ config, environment, progress, signal });
  } finally {
    progress.stop();
  }
}
