import { EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { type AttestedSource, StoreError } from '@granary/contract/ports';
import type { Digests, Evidence, Sha256 } from '@granary/core/model';
import type { SyncPorts } from './sync-ports.ts';

export const MAX_COMPANION_BYTES = 4 * 2 ** 20;
const MAX_WHY_CHARS = 300;

export interface CheckedAttestations {
  /** Undefined where nothing holds. */
  readonly source: AttestedSource | undefined;
  /** What the index says of the artifact, with what came of its attestations in place of what it says of these. */
  readonly evidence: readonly Evidence[];
}
type AttestedPorts = Pick<SyncPorts, 'attestations' | 'blobs'> & { readonly ecosystem: Pick<SyncPorts['ecosystem'], 'attestations'> };

/** Looks into the attestations that came with an artifact. `digests` are of its bytes. Whatever is wrong with them is their evidence, and costs nothing else. */
export async function checkAttested(
  { ecosystem: { attestations: rules }, attestations: verifier, blobs }: AttestedPorts,
  companions: Readonly<Record<string, Sha256>>,
  { artifact, digests }: { readonly artifact: UpstreamArtifact; readonly digests: Digests },
): Promise<CheckedAttestations> {
  const { evidence } = artifact;
  if (rules === undefined || verifier === undefined || !artifact.companions.some(({ name }) => name === rules.companion))
    return { source: undefined, evidence };
  const { companion, check } = rules;
  const replaced = (found: Evidence): readonly Evidence[] => [...evidence.filter((stated) => stated.check !== check), found];
  const unchecked = (why: string): CheckedAttestations => ({
    source: undefined,
    evidence: replaced({ check, state: 'unchecked', why: why.slice(0, MAX_WHY_CHARS) }),
  });
  const digest = companions[companion];
  if (digest === undefined) return unchecked('its document could not be had');
  const document = await blobs.read(digest, MAX_COMPANION_BYTES);
  if (document === undefined) throw new StoreError('unreachable', `check ${artifact.purl}: its ${companion} are not in the store`);
  try {
    const outcome = verifier.verify(rules.bundlesOf(document), digests);
    if (!outcome.ok) return unchecked(outcome.why);
    return { source: outcome.source, evidence: replaced({ check, state: 'checked', by: outcome.source.identity }) };
  } catch (error) {
    if (!(error instanceof EcosystemError)) throw error;
    return unchecked(error.message);
  }
}
