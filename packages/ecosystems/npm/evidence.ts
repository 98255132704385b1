import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Checked, type CheckRequest, EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { type Evidence, formatPurl, type Instant, parseInstant, sha256 } from '@granary/core/model';
import { z } from 'zod';

/** Path below a registry at which it tells its keys; ours as well. */
export const KEYS_PATH = '-/npm/v1/keys';
const CHECK = 'npm-registry-signature';
const MAX_KEYS_BYTES = 256 * 2 ** 10;

const KeysDocument = z.object({
  keys: z
    .array(z.object({ keyid: z.string().max(256), keytype: z.string().max(64), key: z.string().max(4096), expires: z.string().max(64).nullish() }))
    .max(64),
});
interface RegistryKey {
  readonly key: KeyObject;
  readonly expires: Instant | undefined;
}

/** Signatures of the registry over name, version and integrity, by the keys that the same registry tells: ECDSA on P-256 with SHA-256. */
export async function checkSignatures({ artifact, upstreamBase, fetch }: CheckRequest): Promise<Checked> {
  const { signatures = [] } = artifact;
  if (signatures.length === 0) return { evidence: [{ check: CHECK, state: 'absent' }] };
  const bytes = await fetch(new URL(KEYS_PATH, upstreamBase.endsWith('/') ? upstreamBase : `${upstreamBase}/`).href, MAX_KEYS_BYTES);
  if (bytes === undefined) return { evidence: [unchecked('upstream tells no keys')] };
  const keys = parseKeys(bytes);
  if (keys === undefined) return { evidence: [unchecked('the document with the keys can not be read')] };
  const evidence = evidenceOf(artifact, keys);
  return { evidence: [evidence], beside: [keysFile(bytes)] };
}

/** The keys change over time: each document stands for itself, and clients get the last one. */
function keysFile(bytes: Uint8Array): NonNullable<Checked['beside']>[number] {
  return { purl: formatPurl({ type: 'npm', name: KEYS_PATH, version: sha256(bytes), fileName: 'keys' }), path: KEYS_PATH, bytes };
}

function parseKeys(bytes: Uint8Array): ReadonlyMap<string, RegistryKey> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const document = KeysDocument.safeParse(value);
  if (!document.success) return undefined;
  return new Map(
    document.data.keys.flatMap(({ keyid, keytype, key, expires }) => {
      const parsed = keytype === 'ecdsa-sha2-nistp256' ? parseKey(key) : undefined;
      return parsed === undefined ? [] : [[keyid, { key: parsed, expires: parseInstant(expires ?? '') }] as const];
    }),
  );
}

function parseKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
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
  return { check: CHECK, state: 'unchecked', why: why.slice(0, 300) };
}
