import { readFileSync } from 'node:fs';
import type { Held, UpstreamArtifact } from '@granary/contract/ecosystem';
import { parseInstant, sha256, toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { checkSignatures } from './evidence.ts';
import { artifactPurl, usualFileName } from './names.ts';
import { KEYS_PATH, renderKeys } from './registry-keys.ts';

interface Golden {
  readonly document: { readonly keys: readonly { readonly keyid: string }[] };
  readonly signatures: readonly { readonly name: string; readonly version: string; readonly integrity: string; readonly keyid: string; readonly sig: string }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('fixtures/registry-signatures.json', import.meta.url), 'utf8'));
const [byNewKey, byOldKey] = golden.signatures;
const BASE = 'https://registry.example/npm/';

function artifact(signed: Golden['signatures'][number] | undefined, more: Partial<UpstreamArtifact> = {}): UpstreamArtifact {
  const { name = '', version = '', integrity = '', keyid = '', sig = '' } = signed ?? {};
  const fileName = usualFileName(name, version);
  return {
    purl: artifactPurl(name, version, fileName),
    fileName,
    path: `${name}/-/${fileName}`,
    url: `${BASE}${name}/-/${fileName}`,
    digests: {},
    yanked: false,
    evidence: [],
    companions: [],
    signatures: [{ message: `${name}@${version}:${integrity}`, keyId: keyid, signature: sig }],
    ...more,
  };
}
/** These documents were kept earlier, in this order. */
function holding(...documents: readonly object[]): Held {
  const kept = documents.map((document) => new TextEncoder().encode(JSON.stringify(document)));
  return {
    files: (of) => kept.map((bytes) => ({ purl: toPurl(`${of}@${sha256(bytes)}`), sha256: sha256(bytes) })),
    read: async (digest) => kept.find((bytes) => sha256(bytes) === digest),
  };
}
async function check(of: UpstreamArtifact, keys: string | 'none' = JSON.stringify(golden.document), held = holding()) {
  return await checkSignatures({
    artifact: of,
    upstreamBase: BASE,
    settings: {},
    held,
    read: () => Promise.reject(new Error('the bytes are not needed')),
    fetch: async (url) => (url === `${BASE}${KEYS_PATH}` && keys !== 'none' ? new TextEncoder().encode(keys) : undefined),
  });
}

describe('a registry signature', () => {
  it.each(golden.signatures)('over $name $version holds', async (signed) => {
    const publishedAt = parseInstant('2024-01-01T00:00:00Z');

    const { evidence } = await check(artifact(signed, publishedAt === undefined ? {} : { publishedAt }));

    expect(evidence).toEqual([{ check: 'npm-registry-signature', state: 'checked', by: signed.keyid }]);
  });

  it('is kept with the keys, so that clients can repeat the check', async () => {
    const { beside } = await check(artifact(byNewKey));

    expect(beside).toMatchObject([{ path: `${KEYS_PATH}/${sha256(beside?.[0]?.bytes ?? '')}` }]);
    expect(JSON.parse(new TextDecoder().decode(beside?.[0]?.bytes))).toEqual(golden.document);
  });

  it('asks upstream for nothing when the keys it told before will do', async () => {
    expect(await check(artifact(byNewKey), 'none', holding(golden.document))).toEqual({
      evidence: [{ check: 'npm-registry-signature', state: 'checked', by: byNewKey?.keyid }],
    });
  });

  it('asks upstream for nothing where only the time of publication is missing, which no key tells', async () => {
    const { evidence, beside } = await check(artifact(byOldKey), JSON.stringify(golden.document), holding(golden.document));

    expect([evidence, beside]).toEqual([[expect.objectContaining({ state: 'unchecked' })], undefined]);
  });

  it('asks again when they will not', async () => {
    const { evidence, beside } = await check(artifact(byNewKey), JSON.stringify(golden.document), holding({ keys: [golden.document.keys[0]] }));

    expect([evidence, beside?.length]).toEqual([[expect.objectContaining({ state: 'checked' })], 1]);
  });

  it('over other bytes is a mismatch', async () => {
    const [signature] = artifact(byNewKey).signatures ?? [];
    const changed = artifact(byNewKey, {
      signatures: signature === undefined ? [] : [{ ...signature, message: signature.message.replace('sha512-a', 'sha512-b') }],
    });

    await expect(check(changed)).rejects.toMatchObject({ name: 'EcosystemError', code: 'mismatch' });
  });

  it.each([
    ['the key is not known', JSON.stringify({ keys: [] }), 'is none of the keys'],
    ['there are no keys', 'none', 'no keys were to be had'],
    ['the keys are unreadable', '{"keys":1}', 'can not be read'],
    ['the keys are not JSON', '<html>', 'can not be read'],
    [
      'the key is of another kind',
      JSON.stringify({ keys: golden.document.keys.map((key) => ({ ...key, key: 'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=' })) }),
      'is none of the keys',
    ],
  ])('counts for nothing when %s', async (_, keys, why) => {
    const { evidence } = await check(artifact(byNewKey), keys);

    expect(evidence).toEqual([{ check: 'npm-registry-signature', state: 'unchecked', why: expect.stringContaining(why) }]);
  });

  it('is said in a form that a fact can hold, whatever its key is called', async () => {
    const [signature] = artifact(byNewKey).signatures ?? [];
    const { evidence } = await check(artifact(byNewKey, { signatures: signature === undefined ? [] : [{ ...signature, keyId: '\ud800' }] }));

    expect(evidence.map((one) => ('why' in one ? one.why.isWellFormed() : undefined))).toEqual([true]);
  });

  it.each([
    ['before it was published', parseInstant('2026-01-01T00:00:00Z')],
    ['and nobody says when it was published', undefined],
  ])('counts for nothing when its key ended %s', async (_, publishedAt) => {
    const { evidence } = await check(artifact(byOldKey, publishedAt === undefined ? {} : { publishedAt }));

    expect(evidence).toMatchObject([{ state: 'unchecked', why: expect.stringContaining('ended at 2025-01-29') }]);
  });

  it('is said to be absent', async () => {
    expect(await check(artifact(byNewKey, { signatures: [] }))).toEqual({ evidence: [{ check: 'npm-registry-signature', state: 'absent' }] });
  });
});

describe('the keys that clients are told', () => {
  it('are all that upstream ever told, each as it was told last', async () => {
    const [one, two] = golden.document.keys;
    const bytes = await renderKeys(holding({ keys: [{ ...one, expires: null }] }, { keys: [two] }, { keys: [one, { keyid: 1 }] }, { keys: [one] }));

    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({ keys: [one, two] });
  });

  it('are none when upstream never told any', async () => {
    expect(await renderKeys(holding())).toBeUndefined();
  });
});
