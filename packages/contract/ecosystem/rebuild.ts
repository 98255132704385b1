import type { Comparison } from '@granary/core/compare';
import type { Artifact, FailureClass, Instant, Json, PinnedArtifact } from '@granary/core/model';
import type { CommitRules } from './commit-rules.ts';
import type { Assist, BuildMethod, DefinitionPhase, Parameter, RebuildSource } from './definition.ts';
import type { WrittenRules } from './written-definition.ts';

/** The published artifact and its source, whole: what planning reads. Untrusted bytes. */
export interface RebuildSubject {
  readonly target: PinnedArtifact;
  readonly published: Uint8Array;
  readonly source: RebuildSource;
  /** The source archive, or the tar that the commit's tree becomes. */
  readonly sourceBytes: Uint8Array;
  /** The commit itself, as git has it (git-cat-file(1)); left out where it isn't built from one, or where it is larger than any that people write. */
  readonly commitObject?: Uint8Array;
  /** When the archive was published. */
  readonly sourcePublishedAt?: Instant;
  /** The document in which upstream says something of the package, as it was last sent, where `propose` is asked: tools that publish leave their versions there. Untrusted. */
  readonly index?: { readonly bytes: Uint8Array; readonly url: string };
  /** What reproduced another release of the package: tried first, where it fits. */
  readonly precedent?: BuildProposal;
  /** Runtime versions the rootfs offers, such as `3.11.2`; empty where nothing runs. */
  readonly runtimeVersion: string;
}

/** What became of an earlier proposal, oldest first. */
export interface Attempt {
  readonly proposal: BuildProposal;
  readonly outcome:
    | { readonly type: 'unresolvable'; readonly why: 'conflict' | 'unavailable'; readonly detail: string }
    | { readonly type: 'needs'; readonly requirements: readonly string[] }
    | { readonly type: 'failed'; readonly failureClass: FailureClass; readonly log: string }
    | { readonly type: 'compared'; readonly comparison: Comparison };
}

/** One way to build, before its requirements are resolved. */
export interface BuildProposal {
  /** `build` unless given. `source-files` needs nothing else of what a proposal says. */
  readonly method?: BuildMethod;
  /** Another try, with other tools, at what was or will be built with the usual ones: that it fails excuses nothing. */
  readonly retry?: true;
  /** Resolved as of `before`, through the candidate view or by {@link Rebuilding.resolve}; then exact, by digest. */
  readonly requirements: readonly string[];
  readonly before: Instant;
  /** What `compile` and later `propose` need to know of it, in the ecosystem's own words. */
  readonly settings: { readonly [name: string]: Json };
  readonly parameters: readonly Parameter[];
  readonly assists: readonly Assist[];
  readonly notes: readonly string[];
}
export type Proposed =
  | { readonly type: 'build'; readonly proposal: BuildProposal }
  /** Nothing (more) to try: the best attempt counts; with no attempt, this class. */
  | { readonly type: 'exhausted'; readonly failureClass?: FailureClass; readonly detail?: string };

/** What is written into a definition once the requirements are exact. */
export interface CompiledBuild {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly phases: readonly [DefinitionPhase, ...DefinitionPhase[]];
  readonly outputDir: string;
}

export type Eligibility =
  /** `withoutCommit`: where only a commit will do, what the verdict is as long as no repository is held. */
  { readonly ok: true; readonly withoutCommit?: FailureClass } | { readonly ok: false; readonly failureClass: FailureClass };

/** How an ecosystem rebuilds. Pure: the stage resolves, runs and compares. */
export interface RebuildStrategy {
  /** A change of what `propose` or `compile` do is a new engine. */
  readonly engine: number;
  /** May this artifact be rebuilt at all? */
  eligible(target: Artifact): Eligibility;
  /** Left out where nothing is rebuilt from commits. */
  readonly commits?: CommitRules;
  /** The artifact it is rebuilt from, among the files of its release. Left out where only a commit will do. */
  sourceOf?(target: Artifact, siblings: readonly PinnedArtifact[]): PinnedArtifact | undefined;
  /** Of one release, the file that the sandbox's platform would install; undefined when there is none. */
  installableOf<Known extends Artifact>(release: readonly Known[]): Known | undefined;
  /** The next thing to try, a function of the subject and what was tried. At most 12 attempts are asked for. Of a commit, its files were compared with the package's before. */
  propose(subject: RebuildSubject, history: readonly Attempt[]): Promise<Proposed>;
  /** The source lies at `/work/source/<fileName>`, outputs are expected in `outputDir`; the mirror's as-of view is `http://127.0.0.1:3128`. */
  compile(subject: RebuildSubject, proposal: BuildProposal, closure: readonly Artifact[]): CompiledBuild;
  /** Requirements that the build found missing (see Attempt `needs`), read from its outputs; undefined when it is about something else. */
  readNeeds(outputs: readonly { readonly path: string; readonly bytes: Uint8Array }[], log: string): readonly string[] | undefined;
  /** Why a build that exited so failed, from the end of its log. */
  classifyFailure(log: string): FailureClass;
  /** Left out where operators write down nothing of its packages. */
  readonly written?: WrittenRules;
  /** A sandbox job that prints what an artifact without static metadata would be installed as. */
  readonly metadata?: MetadataJob;
}

/** Core metadata of an archive that has none that can be trusted without running its build. */
export interface MetadataJob {
  /** `asked`: what an earlier run of the job found missing (`readNeeds` of the strategy). */
  requirements(source: PinnedArtifact, sourceBytes: Uint8Array, asked: readonly string[]): Promise<readonly string[]>;
  compile(source: PinnedArtifact, sourceBytes: Uint8Array, closure: readonly PinnedArtifact[], asked: readonly string[]): Promise<CompiledBuild>;
  read(outputs: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Uint8Array | undefined;
}
