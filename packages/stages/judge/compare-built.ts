import { type CommitRules, type CommitSource, comparedInputs, type Definition, readBuildHistory } from '@granary/contract/ecosystem';
import { type BlobStore, JobError, RepositoryError } from '@granary/contract/ports';
import { heldRepository, sourceBytes } from '@granary/contract/repository';
import { CompareError, type Comparison, compareArtifacts, compareDocuments, compareWithSource, encodeComparison, rulesetDigest } from '@granary/core/compare';
import { type Artifact, factBody, type Purl, type RebuiltBody, type Rung, type Sha256, sha256, toPurl } from '@granary/core/model';
import type { JudgePorts } from './judge-ports.ts';
import { type DocumentToMake, makeDocument } from './make-document.ts';

const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;

/** Compares what a definition came to with what was published, and records the comparison whole: its first build, or its source where it builds nothing. */
export async function compareBuilt(ports: JudgePorts, artifact: { readonly purl: Purl; readonly sha256: Sha256 }, digest: Sha256): Promise<void> {
  const steps = await readBuildHistory(ports, artifact);
  const step = steps.find(({ plan }) => plan.result.type === 'definition' && plan.result.definition === digest);
  const definition = await readDefinition(ports.blobs, digest);
  const [comparison, against] =
    definition.method === 'source-files'
      ? [await compareSource(ports, definition), definition.source.sha256]
      : await compareBuild(ports, artifact, { digest, definition, built: step?.rebuilt?.body });
  const bytes = encodeComparison(comparison);
  const blob = await ports.blobs.put(bytes, { maxBytes: bytes.length });
  await ports.sink.submit([
    {
      kind: 'compared',
      subject: artifact.purl,
      inputs: comparedInputs(artifact.sha256, against, digest),
      body: factBody({ rung: comparison.rung, comparison: blob.sha256, definition: digest, residue: comparison.residue.length + comparison.residueOmitted }),
    },
  ]);
}

interface Built {
  readonly digest: Sha256;
  readonly definition: Definition;
  readonly built: RebuiltBody | undefined;
}

async function compareBuild(
  ports: JudgePorts,
  artifact: { readonly purl: Purl; readonly sha256: Sha256 },
  { digest, definition, built }: Built,
): Promise<readonly [Comparison, Sha256]> {
  if (built?.status !== 'built') throw new JobError('never', `compare ${artifact.purl}: definition ${digest} built nothing`);
  const rules = ports.ecosystem.rebuilding?.rulesOf(built.fileName);
  if (rules === undefined) throw new JobError('never', `compare ${artifact.purl}: no rules to compare ${built.fileName} by`);
  const [upstream, rebuild] = await Promise.all([read(ports.blobs, artifact.sha256), read(ports.blobs, built.sha256)]);
  const comparison = await compareOrSay(upstream, rebuild, { rules, artifact, rebuilt: built.sha256 });
  return [withAssists(comparison, definition.assists), built.sha256];
}

async function compareSource(ports: JudgePorts, { target, source }: Definition): Promise<Comparison> {
  const { rebuilding } = ports.ecosystem;
  const [rules, commits] = [rebuilding?.rulesOf(target.fileName), rebuilding?.strategy.commits];
  const artifact: Artifact = { purl: toPurl(target.purl), fileName: target.fileName, digests: { sha256: target.sha256 }, path: '' };
  const upstream = await read(ports.blobs, target.sha256);
  const document = commits?.documentOf?.(target.fileName);
  if (commits !== undefined && document !== undefined && source.kind === 'commit') {
    const rebuild = await makeOf(ports, { target: artifact, published: upstream, source, rules: commits, document });
    const { normalizers, causeOf } = document;
    return compareDocuments({ fileName: target.fileName, upstream, rebuild, normalizers, ...(causeOf === undefined ? {} : { causeOf }) });
  }
  if (rules === undefined || commits === undefined || source.kind !== 'commit')
    throw new JobError('never', `compare ${target.purl}: no rules to compare it with a commit by`);
  return await compareFiles(ports, { artifact, upstream, source, rules, commits });
}

async function makeOf(ports: JudgePorts, wish: DocumentToMake): Promise<Uint8Array | undefined> {
  const { repository, commit } = wish.source;
  try {
    const held = await heldRepository(ports, repository);
    if (held === undefined) throw new JobError('later', `compare ${wish.target.purl}: nothing of ${repository} is held`);
    return await makeDocument(held.local, wish);
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    throw new JobError(error.code === 'too-large' ? 'never' : 'later', `compare ${wish.target.purl} with ${commit}: ${error.message}`, { cause: error });
  }
}

interface FilesToCompare {
  readonly artifact: Artifact;
  readonly upstream: Uint8Array;
  readonly source: CommitSource;
  readonly rules: CompareRules;
  readonly commits: CommitRules;
}

async function compareFiles(ports: JudgePorts, { artifact, upstream, source, rules, commits }: FilesToCompare): Promise<Comparison> {
  const { format, causeOf } = rules;
  const directory = source.directory ?? '';
  const { filesOf } = commits;
  const tree = await sourceBytes(ports, source);
  try {
    return await compareWithSource({
      upstream,
      source: tree,
      rules: {
        format,
        causeOf,
        placesOf: (path) => commits.placesOf(artifact, path, directory),
        ...(filesOf === undefined ? {} : { filesOf: (files) => filesOf(artifact, files, directory) }),
      },
    });
  } catch (error) {
    if (!(error instanceof CompareError)) throw error;
    return incomparable(error, { upstream: sha256(upstream), rebuild: source.sha256, ruleset: rulesetDigest([]) });
  }
}

function incomparable({ message }: CompareError, digests: Pick<Comparison, 'upstream' | 'rebuild' | 'ruleset'>): Comparison {
  const residue = [{ path: '', kind: 'content' as const, detail: message }];
  return { ...digests, rung: 'none', needed: [], residue, residueOmitted: 0, findings: [] };
}

type CompareRules = Parameters<typeof compareArtifacts>[0]['rules'];

/** An archive that can't be read is an outcome too: nothing holds, and the residue says why. */
async function compareOrSay(
  upstream: Uint8Array,
  rebuild: Uint8Array,
  context: { readonly rules: CompareRules; readonly artifact: { readonly sha256: Sha256 }; readonly rebuilt: Sha256 },
): Promise<Comparison> {
  try {
    return await compareArtifacts({ upstream, rebuild, rules: context.rules });
  } catch (error) {
    if (!(error instanceof CompareError)) throw error;
    return incomparable(error, { upstream: context.artifact.sha256, rebuild: context.rebuilt, ruleset: rulesetDigest(context.rules.normalizers) });
  }
}

/** Content taken from the published artifact lowers the claim, whatever rung held. */
function withAssists(comparison: Comparison, assists: Definition['assists']): Comparison {
  const rung: Rung | 'none' = comparison.rung !== 'none' && assists.length > 0 ? 'assisted' : comparison.rung;
  return { ...comparison, rung };
}

async function readDefinition(blobs: BlobStore, digest: Sha256): Promise<Definition> {
  return JSON.parse(new TextDecoder().decode(await read(blobs, digest)));
}

async function read(blobs: BlobStore, digest: Sha256): Promise<Uint8Array> {
  const bytes = await blobs.read(digest, MAX_ARTIFACT_BYTES);
  if (bytes === undefined) throw new JobError('later', `compare: ${digest} isn't in the store`);
  return bytes;
}
