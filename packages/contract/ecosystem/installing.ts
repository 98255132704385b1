import type { PinnedArtifact, Purl } from '@granary/core/model';
import type { Toolset } from './ecosystem.ts';

/** A command in the sandbox, whose work dir is `/work`. */
export interface InstallCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}
/** How the client installs a product in the sandbox: first everything, and nothing of it is run; then what each package wants to have run, one after the other. */
export interface InstallPlan {
  /** Below the work dir. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly install: InstallCommand;
  /** In the client's own order. */
  readonly scripts: readonly { readonly release: Purl; readonly command: InstallCommand }[];
}
export type PlannedInstall = { readonly type: 'plan'; readonly plan: InstallPlan } | { readonly type: 'not-tried'; readonly why: string };

export interface InstallRequest {
  readonly specification: string;
  /** The lockfile's bytes, where the specification is a file. Untrusted. */
  readonly content: Uint8Array | undefined;
  /** Releases of the product that run code of their own at install. */
  readonly runsCode: ReadonlySet<Purl>;
}

/** What a stock client does when it installs a product, in ecosystems whose packages may run code then. Pure. */
export interface Installing {
  /** A change of what any of these do is a new engine: products are tried again. */
  readonly engine: number;
  /** Undefined where there is no client for such a machine. `architecture` is Debian's name: `amd64`. */
  toolset(architecture: string): Toolset | undefined;
  /** Does installing it run code of its own? What can't be read may. Untrusted. */
  runsCode(artifact: PinnedArtifact, bytes: Uint8Array): Promise<boolean>;
  /** The view of the ecosystem is at `http://127.0.0.1:3128/<id>/`. Throws EcosystemError `bad-spec`. */
  plan(request: InstallRequest): PlannedInstall;
}
