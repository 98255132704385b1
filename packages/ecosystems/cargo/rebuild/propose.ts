import {
  type Assist,
  type Attempt,
  type BuildProposal,
  EcosystemError,
  type LockedPin,
  type Parameter,
  type Proposed,
  type RebuildSubject,
} from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import { type Instant, sha256, toInstant } from '@granary/core/model';
import { lockedByCargo } from '../lockfiles.ts';
import { parseRequirement } from '../requirement.ts';
import { lockedRequirement, offeredRequirement, parseBuildRequirement } from './build-requirements.ts';
import { type CrateEvidence, readCrateEvidence } from './crate-evidence.ts';
import type { Lock, Recipe } from './recipe.ts';
import { readSourceProject, type SourceProject } from './source-project.ts';

/** What is known before the first attempt: the same for all of them. */
interface Situation {
  readonly crate: CrateEvidence;
  readonly project: SourceProject;
  readonly before: Instant;
  readonly runtimeVersion: string;
}

/** What came of attempts that another lock may better. */
const OF_RESOLVING: ReadonlySet<string> = new Set(['dependency-unavailable', 'dependency-conflict']);
/** More than any lock of a package that is published. */
const MAX_REQUIREMENTS = 3000;
const MAX_LOCK_BYTES = 2 ** 20;

/**
 * The next build to try: `cargo package`, with the lock that the commit has, then with none. The lock of the published crate is put in place, and said to be, only where cargo could
 * resolve nothing, or nothing but the lock differs.
 */
export async function propose(subject: RebuildSubject, history: readonly Attempt[]): Promise<Proposed> {
  const situation = readSituation(subject);
  if ('type' in situation) return situation;
  const built = history.filter(({ proposal }) => proposal.method !== 'source-files');
  const next = locksToTry(situation)[built.length];
  const last = built.at(-1);
  if (next === undefined || (last !== undefined && !mayDiffer(last))) return { type: 'exhausted' };
  const proposal = proposalOf(situation, next);
  if (proposal.requirements.length <= MAX_REQUIREMENTS) return { type: 'build', proposal };
  return { type: 'exhausted', failureClass: 'dependency-unavailable', detail: `it asks for more than ${MAX_REQUIREMENTS} crates` };
}

function readSituation(subject: RebuildSubject): Situation | Extract<Proposed, { type: 'exhausted' }> {
  const { target, published, source, sourceBytes, commitObject, runtimeVersion } = subject;
  if (source.kind !== 'commit' || commitObject === undefined)
    return {
      type: 'exhausted',
      failureClass: 'no-source',
      detail: 'cargo packs from a repository, and the commit itself is larger than any that people write',
    };
  if (target.publishedAt === undefined)
    return {
      type: 'exhausted',
      failureClass: 'dependency-unavailable',
      detail: 'the index states no time of publication: nothing tells which crates there were',
    };
  try {
    const crate = readCrateEvidence(target.fileName, published);
    if (crate === undefined) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: `${target.fileName}: no Cargo.toml in its folder` };
    const project = readSourceProject(sourceBytes, source.directory ?? '');
    if (project === undefined)
      return { type: 'exhausted', failureClass: 'no-source', detail: `${source.directory ?? '.'}/Cargo.toml of the commit can't be read` };
    // Strictly before: with its own line in the index, a package that needs itself to be tested would find itself there.
    return { crate, project, before: toInstant(Date.parse(target.publishedAt) - 1000), runtimeVersion };
  } catch (error) {
    if (error instanceof ArchiveError) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: error.message };
    throw error;
  }
}

/** Where the published crate has no lock, what its dependencies come to makes no difference. */
function locksToTry({ crate, project }: Situation): readonly Lock[] {
  if (crate.lock === undefined) return ['none'];
  const published: readonly Lock[] = crate.lock.length <= MAX_LOCK_BYTES ? ['published'] : [];
  return project.lock === undefined ? ['none', ...published] : ['tree', 'none', ...published];
}

function mayDiffer({ outcome }: Attempt): boolean {
  switch (outcome.type) {
    case 'unresolvable':
      return true;
    case 'needs':
      return false;
    case 'failed':
      return OF_RESOLVING.has(outcome.failureClass);
    case 'compared': {
      const { rung, residue, residueOmitted } = outcome.comparison;
      return rung === 'none' && residueOmitted === 0 && residue.length > 0 && residue.every(({ path }) => /^[^/]+\/Cargo\.lock$/.test(path));
    }
  }
}

function proposalOf({ crate, project, before, runtimeVersion }: Situation, lock: Lock): BuildProposal {
  const recipe: Recipe = { lock, root: project.root, versionControl: crate.versionControl };
  const assist: Assist = {
    path: 'Cargo.lock',
    sha256: sha256(crate.lock ?? ''),
    why: 'what its dependencies came to on the machine that it was published from',
  };
  return {
    requirements: requirementsFor(lock, crate, project),
    before,
    settings: recipe,
    parameters: [...crate.parameters, ...(lock === 'published' || crate.lock === undefined ? [] : [OFFERED])],
    assists: lock === 'published' ? [assist] : [],
    notes: [`cargo ${runtimeVersion} package --no-verify`, NOTES[lock]],
  };
}

const OFFERED: Parameter = { name: 'index', value: 'versions that the lock names are among those to choose from', from: 'Cargo.lock' };
const NOTES: Readonly<Record<Lock, string>> = {
  tree: "with the commit's Cargo.lock",
  none: 'without a Cargo.lock: its dependencies are those that were newest a second before it was published',
  published: 'with the Cargo.lock of the published crate',
};

/**
 * With a lock, cargo first makes sure that it suits the whole workspace. Where newest versions don't go together, or are too new for the compiler, cargo steps back: so that it can,
 * versions that the published lock names are among those that it may choose.
 */
function requirementsFor(lock: Lock, crate: CrateEvidence, { requirements, ofWorkspace, lock: treeLock }: SourceProject): readonly string[] {
  const offered = lockedIn(crate.lock).map(offeredRequirement);
  switch (lock) {
    case 'none':
      return [...requirements, ...offered];
    case 'tree':
      return [...new Set([...withLocked(treeLock, requirements), ...offered])];
    case 'published':
      return withLocked(crate.lock, [...requirements, ...ofWorkspace]);
  }
}

/** What a lock names, and what it has no version for. */
function withLocked(lock: string | undefined, requirements: readonly string[]): readonly string[] {
  const pins = lockedIn(lock);
  const isLocked = (text: string): boolean => {
    const asked = parseBuildRequirement(text);
    const range = asked?.type === 'asked' ? parseRequirement(asked.requirement) : undefined;
    return range !== undefined && pins.some(({ name, version }) => name === asked?.name && range.test(version));
  };
  return [...new Set([...pins.map(lockedRequirement), ...requirements.filter((text) => !isLocked(text))])];
}

/** What can't be read names nothing: cargo itself says what it makes of that. */
function lockedIn(text: string | undefined): readonly LockedPin[] {
  try {
    return text === undefined ? [] : lockedByCargo('Cargo.lock', text).pins;
  } catch (error) {
    if (error instanceof EcosystemError) return [];
    throw error;
  }
}
