import { comparedInputs, type Definition, readBuildHistory } from '@granary/contract/ecosystem';
import { type BlobStore, JobError } from '@granary/contract/ports';
import { CompareError, type Comparison, compareArtifacts, encodeComparison, rulesetDigest } from '@granary/core/compare';
import { factBody, type Purl, type Rung, type Sha256 } from '@granary/core/model';
import type { JudgePorts } from './judge-ports.ts';

const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;

/** Compares the first build of a definition with what was published, and records the comparison whole. */
export async function compareBuilt(ports: JudgePorts, artifact: { readonly purl: Purl; readonly sha256: Sha256 }, definition: Sha256): Promise<void> {
  const steps = await readBuildHistory(ports, artifact);
  const step = steps.find(({ plan }) => plan.result.type === 'definition' && plan.result.definition === definition);
  const built = step?.rebuilt?.body;
  if (built?.status !== 'built') throw new JobError('never', `compare ${artifact.purl}: definition ${definition} built nothing`);
  const rules = ports.ecosystem.rebuilding?.rulesOf(built.fileName);
  if (rules === undefined) throw new JobError('never', `compare ${artifact.purl}: no rules to compare ${built.fileName} by`);
  const [upstream, rebuild] = await Promise.all([read(ports.blobs, artifact.sha256), read(ports.blobs, built.sha256)]);
  const comparison = withAssists(await compareOrSay(upstream, rebuild, { rules, artifact, rebuilt: built.sha256 }), await assistsOf(ports.blobs, definition));
  const bytes = encodeComparison(comparison);
  const blob = await ports.blobs.put(bytes, { maxBytes: bytes.length });
  await ports.sink.submit([
    {
      kind: 'compared',
      subject: artifact.purl,
      inputs: comparedInputs(artifact.sha256, built.sha256, definition),
      body: factBody({ rung: comparison.rung, comparison: blob.sha256, definition, residue: comparison.residue.length + comparison.residueOmitted }),
    },
  ]);
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
    const digests = { upstream: context.artifact.sha256, rebuild: context.rebuilt };
    const residue = [{ path: '', kind: 'content' as const, detail: error.message }];
    return { ...digests, ruleset: rulesetDigest(context.rules.normalizers), rung: 'none', needed: [], residue, residueOmitted: 0, findings: [] };
  }
}

/** Content taken from the published artifact lowers the claim, whatever rung held. */
function withAssists(comparison: Comparison, assists: Definition['assists']): Comparison {
  const rung: Rung | 'none' = comparison.rung !== 'none' && assists.length > 0 ? 'assisted' : comparison.rung;
  return { ...comparison, rung };
}

async function assistsOf(blobs: BlobStore, definition: Sha256): Promise<Definition['assists']> {
  const parsed: Definition = JSON.parse(new TextDecoder().decode(await read(blobs, definition)));
  return parsed.assists;
}

async function read(blobs: BlobStore, digest: Sha256): Promise<Uint8Array> {
  const bytes = await blobs.read(digest, MAX_ARTIFACT_BYTES);
  if (bytes === undefined) throw new JobError('later', `compare: ${digest} isn't in the store`);
  return bytes;
}
