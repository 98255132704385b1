import { SandboxError, type SandboxRun } from '@granary/contract/ports';

/** sun_path of unix(7), less the final zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Throws SandboxError `bad-request` on what could be taken for another path, option or line by the tools below. */
export function checkRequest(run: SandboxRun): void {
  const refuse = (what: string): never => {
    throw new SandboxError('bad-request', `run ${JSON.stringify(run.id.slice(0, 80))}: ${what}`);
  };
  if (!/^[a-z0-9-]{1,64}$/.test(run.id)) refuse('an id is 1 to 64 of a-z, 0-9 and -');
  if (!isPlainPath(run.outputDir)) refuse('outputDir is no plain relative path');
  for (const { path } of run.inputs) if (!isPlainPath(path)) refuse(`input ${JSON.stringify(path.slice(0, 120))} is no plain relative path`);
  for (const { name, argv, env, timeoutMs, network } of run.phases) {
    const texts = [...argv, ...Object.entries(env).flat()];
    if (texts.some((text) => text.includes('\0'))) refuse(`phase ${name}: a zero byte in its arguments or environment`);
    if (Object.keys(env).some((variable) => variable === '' || variable.includes('='))) refuse(`phase ${name}: a variable name that is empty or has =`);
    if (!(timeoutMs > 0)) refuse(`phase ${name}: timeoutMs is not above 0`);
    if (network === 'mirror' && run.mirrorSocket === undefined) refuse(`phase ${name}: network mirror needs a mirrorSocket`);
  }
  if (run.mirrorSocket !== undefined) checkSocket(run.mirrorSocket, refuse);
  const { memoryBytes, cpus, pids, diskBytes, outputBytes, outputFiles, logBytes } = run.limits;
  if ([memoryBytes, pids, diskBytes, outputBytes, outputFiles, logBytes].some((limit) => !Number.isSafeInteger(limit) || limit < 1))
    refuse('limits are whole numbers above 0');
  if (!(cpus > 0)) refuse('cpus is not above 0');
}

function checkSocket(path: string, refuse: (what: string) => never): void {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    refuse(`mirrorSocket has ${Buffer.byteLength(path)} bytes, at most ${MAX_SOCKET_PATH_BYTES} work; use a shorter folder`);
  // socat reads , : ! and quotes in an address as its own syntax.
  if (!/^\/([A-Za-z0-9._+@ -]+\/)*[A-Za-z0-9._+@-]+$/.test(path)) refuse('mirrorSocket is no plain absolute path');
}

/** One line, no way up, nothing that a tool takes for an option. */
function isPlainPath(path: string): boolean {
  return (
    Buffer.byteLength(path) <= 1000 &&
    !/[\p{Cc}\\]/u.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('-'))
  );
}
