import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SandboxError } from '@granary/contract/ports';
import { TOOL_ENVIRONMENT } from '../host-tools.ts';

export interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Kills the tool. */
  readonly signal?: AbortSignal | undefined;
}
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;
const SHOWN_CHARACTERS = 2000;

/** Runs a tool of the host, which gets none of our environment and dies with us. Resolves to its output; throws SandboxError `infrastructure` that says what was being done. */
export async function runTool(
  argv: readonly [string, ...string[]],
  doing: string,
  { env = {}, timeoutMs = 300_000, signal }: ToolOptions = {},
): Promise<string> {
  try {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
    const options = { env: { ...TOOL_ENVIRONMENT, ...env }, cwd: '/', ...limits, ...(signal === undefined ? {} : { signal }) };
    // A session of its own: mmdebstrap hangs up on its whole process group where it can't go on, and that must not be ours.
    const { stdout } = await promisify(execFile)('setpriv', ['--pdeathsig', 'KILL', 'setsid', ...argv], options);
    return stdout;
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause && typeof cause.stderr === 'string' ? cause.stderr : '';
    throw new SandboxError('infrastructure', `${doing}: ${argv[0]}: ${(said || String(cause)).trim().slice(-SHOWN_CHARACTERS)}`, { cause });
  }
}
