import { CommanderError } from 'commander';
import { exitCodeOf } from './exit-code.ts';
import { describeError, openTerminal } from './output/terminal.ts';
import { buildProgram } from './program.ts';

const terminal = openTerminal({ out: process.stdout, err: process.stderr });
const stopping = new AbortController();
let stopSignal: NodeJS.Signals | undefined;
let stoppedAt = 0;
/** A Ctrl-C reaches all that a terminal runs, and npm hands it on to what it started. */
const SAME_SIGNAL_MS = 500;

// The first signal ends the work cleanly; the second, for the impatient, at once. What was acknowledged is kept either way.
for (const [name, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(name, () => {
    if (stopSignal === name && performance.now() - stoppedAt < SAME_SIGNAL_MS) return;
    if (stopSignal !== undefined) process.exit(128 + number);
    [stopSignal, stoppedAt] = [name, performance.now()];
    terminal.say(`${name}: stopping; once more to stop at once`);
    stopping.abort();
  });
}
// A reader that went away, as in `granary status | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));

try {
  const program = buildProgram({ terminal, environment: process.env, cwd: process.cwd(), stderr: process.stderr, signal: stopping.signal });
  await program.parseAsync(process.argv);
  if (stopSignal !== undefined) process.exitCode = stopSignal === 'SIGINT' ? 130 : 143;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 64;
  else if (stopSignal !== undefined) process.exitCode = stopSignal === 'SIGINT' ? 130 : 143;
  else {
    terminal.say(`granary: ${describeError(error)}`);
    process.exitCode = exitCodeOf(error);
  }
}
