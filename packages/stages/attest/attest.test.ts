import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { memoryStore, storeWithFault } from '@granary/contract/memory';
import type { LoggedStatement, StatementSigner, Store } from '@granary/contract/ports';
import {
  attestedInputs,
  attestedKey,
  encodeEnvelope,
  isSummaryOf,
  type Judged,
  PROVENANCE_TYPE,
  parseEnvelope,
  parseStatement,
  preAuthEncoding,
  SUMMARY_TYPE,
  sshFingerprint,
  statementLeaf,
  statementLeafHash,
} from '@granary/core/bundle';
import { envelopeKey } from '@granary/core/layout';
import { AttestedBody, factKey, sha256 } from '@granary/core/model';
import { verifierKey } from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { attest, siteKeyFacts } from './index.ts';

const ORIGIN = 'mirror.example';
const name = 'pkg:pypi/six@1.16.0?file_name=six-1.16.0-py2.py3-none-any.whl';
const judged: Judged = {
  subject: { name, sha256: sha256('published') },
  verdictKey: sha256('verdict'),
  verdict: 'reproduced',
  sourceTier: 'publisher-archive',
  rebuilt: { subject: { name, sha256: sha256('published') }, definition: sha256('definition'), rootfs: sha256('rootfs'), fetched: [] },
  policy: { uri: 'https://mirror.example/policy/verified', digest: sha256('policy'), met: true },
};

function signerOf(): StatementSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return { keyId: sshFingerprint(publicKeyPem), publicKeyPem, sign: async (bytes) => sign('sha256', bytes, privateKey) };
}

function site(store: Store = memoryStore(), signer: StatementSigner = signerOf()) {
  const submitted: LoggedStatement[][] = [];
  const submit = async (facts: readonly unknown[]) => {
    submitted.push(facts.filter((fact): fact is LoggedStatement => typeof fact === 'object' && fact !== null && 'leaf' in fact));
  };
  return { ports: { signer, objects: store.objects, sink: { submit } }, submitted, store };
}

async function envelopes(store: Store): Promise<readonly string[]> {
  return await Array.fromAsync(store.objects.list('envelopes/'));
}

describe('attesting a verdict', () => {
  it('signs each statement and hands it over with the leaf whose hash the fact names', async () => {
    const { ports, submitted, store } = site();

    const logged = await attest(ports, judged, ORIGIN);

    expect(submitted.flat()).toEqual(logged);
    for (const { fact, leaf } of logged) {
      const body = AttestedBody.parse(fact.body);
      const envelope = parseEnvelope((await store.objects.get(envelopeKey(body.envelope), 1e6)) ?? new Uint8Array());
      expect(verify('sha256', preAuthEncoding(envelope.payload), ports.signer.publicKeyPem, envelope.signature)).toBe(true);
      expect(parseStatement(envelope.payload).predicateType).toBe(body.predicateType);
      expect(body).toMatchObject({ payload: sha256(envelope.payload), leaf: statementLeafHash(leaf), keyId: ports.signer.keyId });
      expect(leaf).toEqual(statementLeaf(envelope, ports.signer.publicKeyPem));
    }
  });

  it('gives facts a key that can be told before anything is signed', async () => {
    const { ports } = site();

    const [provenance, , summary] = await attest(ports, judged, ORIGIN);

    const keyOf = (type: string) => attestedKey(name, attestedInputs(judged.verdictKey, type, judged.policy.digest));
    expect(provenance && factKey(provenance.fact)).toBe(keyOf(PROVENANCE_TYPE));
    expect(summary && factKey(summary.fact)).toBe(keyOf(SUMMARY_TYPE));
  });

  it('hands the summary over last, when the other facts are durable', async () => {
    const { ports, submitted } = site();

    await attest(ports, judged, ORIGIN);

    const [grounds, summary, ...more] = submitted;
    expect([grounds?.length, summary?.length, more]).toEqual([2, 1, []]);
    expect(summary?.map(({ fact }) => isSummaryOf(fact, judged.verdictKey, judged.policy.digest))).toEqual([true]);
    expect(grounds?.some(({ fact }) => isSummaryOf(fact, judged.verdictKey, judged.policy.digest))).toBe(false);
  });

  it('hands over the same when it runs again', async () => {
    const { ports, store } = site();
    const first = await attest(ports, judged, ORIGIN);

    const second = await attest(ports, judged, ORIGIN);

    expect(second).toEqual(first);
    expect(await envelopes(store)).toHaveLength(3);
  });

  it('adopts the signature of whoever was faster', async () => {
    const { ports, store } = site();

    const [one, other] = await Promise.all([attest(ports, judged, ORIGIN), attest(ports, judged, ORIGIN)]);

    expect(other).toEqual(one);
    expect(await envelopes(store)).toHaveLength(3);
  });

  it.each([1, 2, 3].flatMap((step) => (['lost', 'kept'] as const).map((effect) => ({ step, effect }))))(
    'converges after write $step reported an error and was $effect',
    async (fault) => {
      const store = memoryStore();
      const signer = signerOf();
      const broken = storeWithFault(store, fault);

      await expect(attest(site(broken.store, signer).ports, judged, ORIGIN)).rejects.toMatchObject({ code: 'unreachable' });
      const { ports, submitted } = site(store, signer);
      const logged = await attest(ports, judged, ORIGIN);

      expect(broken.fired()).toBe(true);
      expect(submitted.flat()).toEqual(logged);
      expect(await attest(ports, judged, ORIGIN)).toEqual(logged);
      expect(await envelopes(store)).toHaveLength(3);
    },
  );

  it('refuses an envelope that is in its place and not its own', async () => {
    const other = site();
    const [first] = await attest(other.ports, judged, ORIGIN);
    const { ports, store } = site();
    const [mine] = await attest(site(memoryStore(), ports.signer).ports, judged, ORIGIN);
    const [foreign, own] = [first, mine].map((logged) => AttestedBody.parse(logged?.fact.body));
    if (foreign === undefined || own === undefined) throw new Error('nothing attested');
    const envelope = parseEnvelope((await other.store.objects.get(envelopeKey(foreign.envelope), 1e6)) ?? new Uint8Array());
    await store.objects.putOnce(envelopeKey(own.envelope), encodeEnvelope({ ...envelope, keyId: ports.signer.keyId }));

    await expect(attest(ports, judged, ORIGIN)).rejects.toMatchObject({ code: 'envelope-corrupt' });
  });

  it('names no time: the payload is a function of the verdict alone', async () => {
    const [one] = await attest(site().ports, judged, ORIGIN);
    const [other] = await attest(site().ports, judged, ORIGIN);

    expect(AttestedBody.parse(one?.fact.body).payload).toBe(AttestedBody.parse(other?.fact.body).payload);
  });
});

describe('the key facts of a site', () => {
  it('endorses the ledger by the statement key before a fact names it', async () => {
    const { ports, store } = site();
    const { publicKey } = generateKeyPairSync('ed25519');
    const ledger = verifierKey(ORIGIN, Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));

    const [ledgerFact, statementFact] = await siteKeyFacts(ports, ledger.text);

    const [key] = await envelopes(store);
    expect(statementFact).toMatchObject({ kind: 'key-added', subject: ports.signer.keyId, body: { role: 'statement' } });
    expect(ledgerFact).toMatchObject({ kind: 'key-added', body: { role: 'ledger', publicKey: ledger.text, endorsement: key?.split('/').at(-1) } });
  });
});
