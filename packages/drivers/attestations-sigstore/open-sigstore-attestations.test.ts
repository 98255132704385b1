import { hash } from 'node:crypto';
import { sha256 } from '@granary/core/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSigstoreAttestations } from './index.ts';
import { ISSUER, openTestSigstore, type TestBuild } from './test/test-sigstore.ts';

const BYTES = 'the bytes of a package';
const SHA512 = hash('sha512', BYTES, 'hex');
const DIGESTS = { sha256: sha256(BYTES), sha512: SHA512 };
const COMMIT = 'c0ffee0000000000000000000000000000000001';
const OTHER_COMMIT = 'c0ffee0000000000000000000000000000000002';
const LAMP: TestBuild = { repository: 'https://forge.example/house/lamp', commit: COMMIT };
const PURL = 'pkg:git/forge.example/house/lamp';

/** As npm has it: SLSA provenance v1, by sha512. */
const provenance = (commit = COMMIT, subject: object = { sha512: SHA512 }, uri = 'git+https://forge.example/house/lamp@refs/heads/main') => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'pkg:npm/lamp@1.0.0', digest: subject }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { buildDefinition: { buildType: 'https://build.example/v1', resolvedDependencies: [{ uri, digest: { gitCommit: commit } }] } },
});
/** As PyPI has it: nothing but a subject, by sha256. */
const published = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'lamp-1.0.0.tar.gz', digest: { sha256: DIGESTS.sha256 } }],
  predicateType: 'https://index.example/publish/v1',
  predicate: null,
};

const sigstore = await openTestSigstore();
const verifier = openSigstoreAttestations(sigstore.trustedRoot) ?? expect.fail('the root is one');
const verify = async (statement: unknown, build = LAMP) => verifier.verify([await sigstore.attest(build, { statement })], DIGESTS);
const refused = (why: RegExp) => ({ ok: false, why: expect.stringMatching(why) });

describe('a bundle that holds', () => {
  it('tells repository, commit, ref, workflow, and whose signature it is', async () => {
    const source = {
      repository: PURL,
      commit: COMMIT,
      ref: 'refs/heads/main',
      workflow: 'https://forge.example/house/lamp/.forge/release.yml@refs/heads/main',
      issuer: ISSUER,
      identity: 'https://forge.example/house/lamp/.forge/release.yml@refs/heads/main',
    };

    expect(await verify(provenance())).toEqual({ ok: true, source });
    expect(await verify(published)).toEqual({ ok: true, source });
  });

  it('may call commits sha1, as SLSA v0.2 did', async () => {
    const materials = (sha1: string) => ({
      ...published,
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      predicate: {
        materials: [
          { uri: 'git+https://forge.example/house/lamp', digest: { sha1 } },
          { uri: 'pkg:generic/tool', digest: { sha1: OTHER_COMMIT } },
        ],
      },
    });

    expect(await verify(materials(COMMIT))).toMatchObject({ ok: true });
    expect(await verify(materials(OTHER_COMMIT))).toEqual(refused(/names commit/));
  });

  it('may be of the form before, with a chain of certificates', async () => {
    const { verificationMaterial, ...rest } = await sigstore.attest(LAMP, { statement: provenance() });
    const { certificate, tlogEntries } = verificationMaterial;
    const before = {
      ...{ ...rest, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' },
      verificationMaterial: { x509CertificateChain: { certificates: [certificate] }, tlogEntries },
    };

    expect(verifier.verify([before], DIGESTS)).toMatchObject({ ok: true, source: { commit: COMMIT } });
  });

  it('counts beside others that do not hold', async () => {
    const bundles = [{}, await sigstore.attest(LAMP, { statement: provenance() })];

    expect(verifier.verify(bundles, DIGESTS)).toMatchObject({ ok: true, source: { commit: COMMIT } });
  });
});

describe('a bundle is refused', () => {
  it('that was signed for other bytes, or for these by a weak digest only', async () => {
    expect(await verify(provenance(COMMIT, { sha512: hash('sha512', 'other', 'hex') }))).toEqual(refused(/another file/));
    expect(await verify(provenance(COMMIT, { sha512: SHA512, sha256: sha256('other') }))).toEqual(refused(/another file/));
    expect(await verify(provenance(COMMIT, { sha1: hash('sha1', BYTES, 'hex') }))).toEqual(refused(/another file/));
  });

  it('that other roots vouch for', async () => {
    const elsewhere = await openTestSigstore();

    expect(verifier.verify([await elsewhere.attest(LAMP, { statement: provenance() })], DIGESTS)).toMatchObject({ ok: false });
  });

  it('whose certificate was over when it was logged, or that no time goes with', async () => {
    const statement = provenance();
    const late = await sigstore.attest(LAMP, { statement, loggedAt: new Date(Date.now() + 3_600_000) });
    const timeless = await sigstore.attest(LAMP, { statement, time: 'none' });

    expect(verifier.verify([late], DIGESTS)).toEqual(refused(/certificate/i));
    expect(verifier.verify([timeless], DIGESTS)).toEqual(refused(/timestamps/));
  });

  it('whose statement names another commit than its certificate, also beside the same', async () => {
    const both = provenance();
    both.predicate.buildDefinition.resolvedDependencies.push({ uri: 'git+https://forge.example/house/lamp', digest: { gitCommit: OTHER_COMMIT } });

    expect(await verify(provenance(OTHER_COMMIT))).toEqual(refused(/certificate names commit c0ffee.*1, its statement c0ffee.*2/));
    expect(await verify(provenance(COMMIT, undefined, 'git+https://forge.example/other/lamp'))).toEqual(refused(/names commit/));
    expect(await verify(both)).toEqual(refused(/names commit/));
  });

  it('that was signed in a name of another repository', async () => {
    const identity = 'https://forge.example/house/lamp-fork/.forge/release.yml@refs/heads/main';

    expect(await verify(provenance(), { ...LAMP, identity })).toEqual(refused(/doesn't lie in/));
  });

  it('whose certificate names no repository or no commit', async () => {
    expect(await verify(published, { ...LAMP, repository: 'lamp', identity: 'https://forge.example/x' })).toEqual(refused(/no source repository/));
    expect(await verify(published, { ...LAMP, commit: 'main' })).toEqual(refused(/no commit/));
  });

  it('that holds and names another commit than another that holds', async () => {
    const bundles = [await sigstore.attest(LAMP, { statement: published }), await sigstore.attest({ ...LAMP, commit: OTHER_COMMIT }, { statement: published })];

    expect(verifier.verify(bundles, DIGESTS)).toEqual(refused(/different commits/));
  });

  it('with an altered statement, or a log entry of another', async () => {
    const bundle = await sigstore.attest(LAMP, { statement: published });
    const other = await sigstore.attest(LAMP, { statement: provenance() });
    const altered = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: other.dsseEnvelope.payload } };
    const misplaced = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: other.verificationMaterial.tlogEntries } };

    expect(verifier.verify([altered], DIGESTS)).toMatchObject({ ok: false });
    expect(verifier.verify([misplaced], DIGESTS)).toMatchObject({ ok: false });
  });

  it('with more entries than anybody needs, and so is a document with more bundles', async () => {
    const bundle = await sigstore.attest(LAMP, { statement: published });
    const [entry] = bundle.verificationMaterial.tlogEntries;
    const full = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: Array.from({ length: 5 }, () => entry) } };

    expect(verifier.verify([full], DIGESTS)).toEqual(refused(/more than 4 log entries/));
    expect(
      verifier.verify(
        Array.from({ length: 33 }, () => bundle),
        DIGESTS,
      ),
    ).toEqual(refused(/more than 32/));
    expect(verifier.verify([], DIGESTS)).toEqual(refused(/no bundle/));
  });

  it('with more subjects, or more dependencies, than anybody needs', async () => {
    const crowd = { ...published, subject: Array.from({ length: 1025 }, () => published.subject[0]) };
    const heap = provenance();
    heap.predicate.buildDefinition.resolvedDependencies = Array.from({ length: 10_001 }, () => ({ uri: '', digest: { gitCommit: COMMIT } }));

    expect(await verify(crowd)).toEqual(refused(/no statement that can be read/));
    expect(await verify(heap)).toEqual(refused(/no statement that can be read/));
  });

  it('that is damaged anywhere, or is anything at all, and nothing else happens', async () => {
    const text = JSON.stringify(await sigstore.attest(LAMP, { statement: published }));
    const damaged = fc.tuple(fc.nat(text.length - 1), fc.constantFrom('A', '0', '_', 'zz')).map(([at, by]) => text.slice(0, at) + by + text.slice(at + 1));
    const texts = fc.oneof(damaged, fc.json());

    fc.assert(
      fc.property(texts, (changed) => {
        const bundle = parsed(changed);
        const outcome = verifier.verify([bundle], DIGESTS);
        // What isn't covered by a signature may be damaged, never what it says.
        if (outcome.ok) expect(outcome.source).toMatchObject({ repository: PURL, commit: COMMIT });
      }),
      { numRuns: 300 },
    );
  });
});

it('takes no file for roots of trust that has none', () => {
  for (const text of ['', '{}', '[]', '{"tlogs":[{}]}', '{"certificateAuthorities":[{}],"tlogs":[{}],"ctlogs":[{}]}'])
    expect(openSigstoreAttestations(Buffer.from(text))).toBe(undefined);
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
