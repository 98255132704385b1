import type { Sha256 } from '@granary/core/model';

export interface SandboxLimits {
  readonly memoryBytes: number;
  /** 1 is one core. */
  readonly cpus: number;
  readonly pids: number;
  /** Of the work dir, a tmpfs. */
  readonly diskBytes: number;
  readonly outputBytes: number;
  readonly outputFiles: number;
  /** Standard output and error of all phases together; what is beyond is dropped and said. */
  readonly logBytes: number;
}
export interface SandboxPhase {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** `mirror`: 127.0.0.1:3128 forwards to {@link SandboxRun.mirrorSocket}. `none`: an empty network namespace. */
  readonly network: 'mirror' | 'none';
  readonly timeoutMs: number;
  /** Whatever becomes of it, the next one is run. */
  readonly mayFail?: true;
}
/** Whom a phase turned to beside our mirror; it got no answer. */
export interface Contact {
  /** A name where it was looked up, else an address. */
  readonly host: string;
  /** Left out where a name was only looked up. */
  readonly port?: number;
  readonly protocol: 'tcp' | 'udp' | 'lookup';
}
export interface SandboxInput {
  /** Below the work dir, relative. */
  readonly path: string;
  readonly content: { readonly bytes: Uint8Array } | { readonly file: string };
  readonly executable?: boolean;
}
export interface SandboxRun {
  /** Unique per run; [a-z0-9-]{1,64}. */
  readonly id: string;
  /** Digest of the root filesystem's tar (see {@link RootFilesystems}). */
  readonly rootfs: Sha256;
  readonly inputs: readonly SandboxInput[];
  readonly phases: readonly [SandboxPhase, ...SandboxPhase[]];
  /** Path of a unix socket that speaks HTTP: our mirror, one per run. */
  readonly mirrorSocket?: string;
  /** In phases with network `mirror` every name has an address and every address refuses, at once; who was turned to is in the result. */
  readonly recordsContacts?: true;
  /** Folder below the work dir whose regular files are collected after the last phase. */
  readonly outputDir: string;
  readonly limits: SandboxLimits;
  readonly signal?: AbortSignal;
  /** Told when a phase starts and when its container has ended. Must not throw. */
  readonly onPhase?: (phase: { readonly name: string; readonly state: 'started' | 'ended' }) => void;
}
export type PhaseEnd =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'killed'; readonly by: 'out-of-memory' | 'timeout' | 'abort' | 'signal' };
export interface SandboxResult {
  /** Phases after one that didn't exit with 0, and had to, are not run, but outputs are collected all the same. */
  readonly phases: readonly {
    readonly name: string;
    readonly end: PhaseEnd;
    readonly durationMs: number;
    /** Where they were to be recorded: a hundred of them at most, and how many more there were. */
    readonly contacts?: { readonly seen: readonly Contact[]; readonly leftOut: number };
  }[];
  /** Regular files only, modes reduced to 0644/0755; anything else is in `refused`. */
  readonly outputs: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly refused: readonly { readonly path: string; readonly why: string }[];
  readonly log: { readonly text: string; readonly truncated: boolean };
}
/** Runs foreign code in an OCI container. The host sees nothing of it but the result. */
export interface Sandbox {
  /** Throws SandboxError only for our own failures; what the code did is in the result. Calls may overlap. */
  run(run: SandboxRun): Promise<SandboxResult>;
}
/** Root filesystems made from stored packages. */
export interface RootFilesystems {
  /** Makes it ready on this machine from stored blobs alone; resolves to the digest of its tar, the same on every machine. Rejects when the signal aborts. */
  prepare(recipe: RootfsRecipe, signal?: AbortSignal): Promise<Sha256>;
}
/** What a root filesystem is a function of. */
export interface RootfsRecipe {
  readonly format: 1;
  readonly suite: string;
  readonly architecture: string;
  /** Packages asked for, sorted. */
  readonly include: readonly string[];
  /** The signed index and every package in the closure, all stored blobs. */
  readonly release: { readonly sha256: Sha256; readonly signedAt: string };
  readonly packagesIndex: { readonly path: string; readonly sha256: Sha256 };
  readonly packages: readonly { readonly name: string; readonly version: string; readonly path: string; readonly sha256: Sha256 }[];
  /** Files placed into it: executables by path, from blobs. */
  readonly files: readonly { readonly path: string; readonly sha256: Sha256; readonly executable: boolean }[];
}

export type SandboxCode = 'runtime-missing' | 'rootfs-missing' | 'disk-full' | 'infrastructure' | 'bad-request';
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: SandboxCode;
  constructor(code: SandboxCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
