import { verify } from 'node:crypto';
import { type Checked, type CheckRequest, EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import type { Evidence } from '@granary/core/model';
import { KEYS_PATH, keptKeys, keysFile, MAX_KEYS_BYTES, parseKeys, type RegistryKey } from './registry-keys.ts';

const CHECK = 'npm-registry-signature';

/** Signatures of the registry over name, version and integrity, by the keys that the same registry tells: ECDSA on P-256 with SHA-256. */
export async function checkSignatures({ artifact, held, ...upstream }: CheckRequest): Promise<Checked> {
  const { signatures = [] } = artifact;
  if (signatures.length === 0) return { evidence: [{ check: CHECK, state: 'absent' }] };
  // The same few keys sign everything: upstream is asked when it needs others than it told before.
  const kept = await keptKeys(held);
  const byKept = evidenceOf(artifact, kept);
  // A release that was asked for alone has no time: no key tells more of it.
  const isTimeMissing = artifact.publishedAt === undefined && signatures.every(({ keyId }) => kept.has(keyId));
  if (byKept.state === 'checked' || isTimeMissing) return { evidence: [byKept] };
  const base = upstream.upstreamBase.endsWith('/') ? upstream.upstreamBase : `${upstream.upstreamBase}/`;
  const bytes = await upstream.fetch(new URL(KEYS_PATH, base).href, MAX_KEYS_BYTES);
  if (bytes === undefined) return { evidence: [unchecked('no keys were to be had from upstream')] };
  const keys = parseKeys(bytes);
  if (keys === undefined) return { evidence: [unchecked('the document with the keys can not be read')] };
  return { evidence: [evidenceOf(artifact, keys)], beside: [keysFile(bytes)] };
}

/** One that holds suffices; one that is wrong, by a key that the registry stands for, means that somebody changed something. */
function evidenceOf({ purl, publishedAt, signatures = [] }: UpstreamArtifact, keys: ReadonlyMap<string, RegistryKey>): Evidence {
  const outcomes = signatures.map(({ message, keyId, signature }): Evidence => {
    const known = keys.get(keyId);
    if (known === undefined) return unchecked(`${keyId} is none of the keys that upstream tells`);
    if (!verify('sha256', Buffer.from(message), known.key, Buffer.from(signature, 'base64')))
      throw new EcosystemError('mismatch', `${purl}: the registry's signature by ${keyId} is not over ${message}`);
    if (known.expires === undefined) return { check: CHECK, state: 'checked', by: keyId };
    if (publishedAt === undefined) return unchecked(`${keyId} ended at ${known.expires}, and upstream tells no time of publication`);
    return publishedAt <= known.expires
      ? { check: CHECK, state: 'checked', by: keyId }
      : unchecked(`${keyId} ended at ${known.expires}, before it was published`);
  });
  return outcomes.find(({ state }) => state === 'checked') ?? outcomes[0] ?? { check: CHECK, state: 'absent' };
}

function unchecked(why: string): Evidence {
  return { check: CHECK, state: 'unchecked', why: why.slice(0, 300).toWellFormed() };
}
