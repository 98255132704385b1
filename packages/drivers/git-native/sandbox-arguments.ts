import { GIT_ENVIRONMENT, gitArguments } from './git-settings.ts';
import { foldersOf, type GitTools } from './git-tools.ts';

/** A folder of the machine, seen in git's namespace under a name that never comes from outside. */
export interface Place {
  readonly folder: string;
  readonly at: '/repo' | '/repo/objects' | '/held';
  readonly access: 'read' | 'write';
}
export interface ProcessLimits {
  /** Memory that one process may allocate; what it maps of files doesn't count (getrlimit(2), RLIMIT_DATA). */
  readonly memoryBytes: number;
  /** Largest file that may be written. */
  readonly fileBytes: number;
  readonly cpuSeconds: number;
}
export interface SandboxedGit {
  readonly tools: GitTools;
  readonly places: readonly Place[];
  readonly limits: ProcessLimits;
  readonly threads: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Runs this shell script, in which `"$0" "$@"` is git with its settings: for what takes many processes. */
  readonly script?: string;
}

/** The whole command line: limits, then namespaces without a network in which only system programs and the given places exist, then git. */
export function sandboxArguments(sandboxed: SandboxedGit, args: readonly string[]): readonly string[] {
  const { tools, limits, script, threads } = sandboxed;
  const git = [tools.git, ...gitArguments(threads, args)];
  return [...limitArguments(limits), tools.bwrap, ...namespaceArguments(sandboxed), '--', ...(script === undefined ? git : ['/bin/sh', '-c', script, ...git])];
}

function limitArguments({ memoryBytes, fileBytes, cpuSeconds }: ProcessLimits): readonly string[] {
  const limits = { data: memoryBytes, fsize: fileBytes, cpu: cpuSeconds, core: 0, nofile: 1024 };
  return Object.entries(limits).map(([name, value]) => `--${name}=${Math.ceil(value)}:${Math.ceil(value)}`);
}

function namespaceArguments({ places, environment, tools }: SandboxedGit): readonly string[] {
  return [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', 'granary', '--clearenv'],
    ...Object.entries({ ...GIT_ENVIRONMENT, ...environment }).flatMap(([name, value]) => ['--setenv', name, value]),
    ...SYSTEM.flatMap((folder) => ['--ro-bind-try', folder, folder]),
    ...foldersOf(tools).flatMap((folder) => ['--ro-bind', folder, folder]),
    ...['--dev', '/dev'],
    ...places.flatMap(({ folder, at, access }) => [access === 'read' ? '--ro-bind' : '--bind', folder, at]),
    ...['--remount-ro', '/', '--chdir', places.length === 0 ? '/' : '/repo'],
  ];
}

/** Programs and libraries, and nothing of what anybody keeps on this machine. */
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/etc/ld.so.cache'];
