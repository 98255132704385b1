import type { PhaseEnd } from '@granary/contract/ports';

export interface PhaseOutcome {
  /** As a shell sees it. */
  readonly status: number;
  /** What we did to it. */
  readonly stopped: 'timeout' | 'abort' | undefined;
  readonly outOfMemoryKills: number;
}

/** SIGRTMAX is 64. */
const LAST_SIGNAL = 64;

/** How a phase ended. A status of 128 and a signal may be the program's own exit code: the two cannot be told apart from here. */
export function phaseEnd({ status, stopped, outOfMemoryKills }: PhaseOutcome): PhaseEnd {
  if (stopped !== undefined) return { type: 'killed', by: stopped };
  if (status === 0) return { type: 'exited', code: 0 };
  if (outOfMemoryKills > 0) return { type: 'killed', by: 'out-of-memory' };
  return status > 128 && status <= 128 + LAST_SIGNAL ? { type: 'killed', by: 'signal' } : { type: 'exited', code: status };
}
