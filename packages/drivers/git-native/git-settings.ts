/** What git sees of an environment: nothing of ours, no file of settings, no terminal, no transport (git(1), Environment Variables). */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  TZ: 'UTC',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  // An empty list of transports: none is allowed.
  GIT_ALLOW_PROTOCOL: '',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_DIR: '/repo',
};

/** git-config(1). Memory: packs are mapped in windows, caches and searches for deltas have an end, and blobs above the threshold are streamed, never held. */
const SETTINGS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.bigFileThreshold': '64m',
  'core.packedGitWindowSize': '16m',
  'core.packedGitLimit': '128m',
  'core.deltaBaseCacheLimit': '64m',
  'pack.windowMemory': '64m',
  'pack.deltaCacheSize': '64m',
  'pack.writeReverseIndex': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'protocol.allow': 'never',
  'credential.helper': '',
  'safe.directory': '*',
  'transfer.advertiseSID': 'false',
  'lsrefs.unborn': 'advertise',
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'uploadpack.advertiseBundleURIs': 'false',
  'uploadpack.keepAlive': '5',
};

/** Settings before the command, so that they outrank every file and hold for the programs that git starts itself. */
export function gitArguments(threads: number, args: readonly string[]): readonly string[] {
  const settings = [...Object.entries(SETTINGS), ['pack.threads', String(threads)]];
  return [...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]), ...args];
}
