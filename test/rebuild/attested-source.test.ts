import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatPurl, sha256, toPurl } from '@granary/core/model';
import { openSigstoreAttestations } from '@granary/driver-attestations-sigstore';
import { openTestSigstore, type TestBundle } from '@granary/driver-attestations-sigstore/test';
import { npm } from '@granary/ecosystem-npm';
import { pypi } from '@granary/ecosystem-pypi';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAttestingSite } from './attesting-site.ts';
import { openProject } from './project.ts';

const LAMP = toPurl('pkg:git/forge.example/house/lamp');
const LAMP_URL = 'https://forge.example/house/lamp';
const FORK = toPurl('pkg:git/forge.example/fork/lamp');
const FORK_URL = 'https://forge.example/fork/lamp';
const NPM_FILE = formatPurl({ type: 'npm', name: 'lamp', version: '1.0.0', fileName: 'lamp-1.0.0.tgz' });
const NPM_INDEX = { url: 'https://registry.example/lamp', mediaType: 'application/json' };
const PYPI_FILE = formatPurl({ type: 'pypi', name: 'lamp', version: '1.0.0', fileName: 'lamp-1.0.0.tar.gz' });
const PYPI_INDEX = { url: 'https://registry.example/simple/lamp/', mediaType: 'application/vnd.pypi.simple.v1+json' };

const sigstore = await openTestSigstore();
const attestations = openSigstoreAttestations(sigstore.trustedRoot);

describe('the commit that was attested of a package of npm', () => {
  it('is checked when the package is taken in, and then the one that it is made from', async () => {
    const project = openProject();
    const commit = project.commit(NPM_FILES);
    const site = await openAttestingSite({ ecosystem: npm, files: await npmUpstream({ repository: LAMP_URL, commit }), attestations });
    await site.mirror(LAMP, project);

    const { attested, evidence } = await site.take(NPM_FILE, NPM_INDEX);

    const identity = `${LAMP_URL}/.forge/release.yml@refs/heads/main`;
    expect(attested).toMatchObject({ repository: LAMP, commit, ref: 'refs/heads/main', identity });
    expect(evidence.filter(({ check }) => check === 'npm-attestations')).toEqual([{ check: 'npm-attestations', state: 'checked', by: identity }]);
    expect(await site.locate(NPM_FILE)).toMatchObject({
      source: { kind: 'commit', repository: LAMP, commit, tier: 'commit-attested', evidence: 'attested' },
      findings: [],
    });
  });

  it('is kept and not believed where no roots of trust are configured', async () => {
    const project = openProject();
    const commit = project.commit(NPM_FILES);
    const site = await openAttestingSite({ ecosystem: npm, files: await npmUpstream({ repository: LAMP_URL, commit }) });
    await site.mirror(LAMP, project);

    const { attested, evidence, companions } = await site.take(NPM_FILE, NPM_INDEX);

    expect(attested).toBe(undefined);
    expect(companions).toHaveProperty('attestations');
    expect(evidence).toContainEqual({ check: 'npm-attestations', state: 'unchecked', why: 'no trusted root for their issuer is configured' });
    expect((await site.locate(NPM_FILE)).source).toMatchObject({ commit, tier: 'commit-inferred' });
  });

  it('is looked for in the repository that was attested, where the package names another', async () => {
    const [project, fork] = [openProject(), openProject()];
    project.commit(NPM_FILES);
    const commit = fork.commit({ ...NPM_FILES, 'unpublished.txt': 'x' });
    const site = await openAttestingSite({ ecosystem: npm, files: await npmUpstream({ repository: FORK_URL, commit }), attestations });
    await site.take(NPM_FILE, NPM_INDEX);
    await site.mirror(LAMP, project);

    expect(await site.locate(NPM_FILE)).toMatchObject({ source: { repository: LAMP, tier: 'commit-inferred' }, findings: ['sources-disagree'] });

    await site.mirror(FORK, fork);

    expect(await site.locate(NPM_FILE)).toMatchObject({ source: { repository: FORK, commit, tier: 'commit-attested' }, findings: ['sources-disagree'] });
  });

  it.each([
    ['of other bytes', { digest: 'f'.repeat(128) }, /another file/],
    ['that no JSON is', { document: 'nothing' }, /not JSON/],
    ['nested without end', { document: `${'['.repeat(100_000)}` }, /nested deeper/],
    ['in another form', { document: '{"attestations":{}}' }, /attestations: /],
    ['without bundles of certificates', { document: '{"attestations":[{"bundle":{"verificationMaterial":{"publicKey":{"hint":"x"}}}}]}' }, /no bundle/],
    ['that is not there', { document: undefined }, /could not be had/],
    ['larger than any', { document: ' '.repeat(4 * 2 ** 20 + 1) }, /could not be had/],
    ['with more than anybody makes', { document: JSON.stringify({ attestations: Array.from({ length: 33 }, () => ({ bundle: {} })) }) }, /attestations: /],
  ])('is nowhere in a document %s, which costs nothing else', async (_, change, why) => {
    const files = await npmUpstream({ repository: LAMP_URL, commit: '1'.repeat(40) }, change);
    const site = await openAttestingSite({ ecosystem: npm, files, attestations });

    const { attested, evidence } = await site.take(NPM_FILE, NPM_INDEX);

    expect(attested).toBe(undefined);
    expect(evidence).toContainEqual({ check: 'npm-attestations', state: 'unchecked', why: expect.stringMatching(why) });
  });
});

describe('the commit that was attested of a package of PyPI', () => {
  it('is checked when the package is taken in, and then the one that it is made from', async () => {
    const project = openProject();
    const commit = project.commit(PYPI_FILES);
    const site = await openAttestingSite({ ecosystem: pypi, files: await pypiUpstream(commit), attestations });
    await site.mirror(LAMP, project);

    const { attested, evidence } = await site.take(PYPI_FILE, PYPI_INDEX);

    expect(attested).toMatchObject({ repository: LAMP, commit });
    expect(evidence).toContainEqual({ check: 'pep740-provenance', state: 'checked', by: `${LAMP_URL}/.forge/release.yml@refs/heads/main` });
    expect((await site.locate(PYPI_FILE)).source).toMatchObject({ kind: 'commit', commit, tier: 'commit-attested', evidence: 'attested' });
  });

  it('is none where two attestations name different ones, or their document is in another form', async () => {
    const files = await pypiUpstream('1'.repeat(40), '2'.repeat(40));
    const site = await openAttestingSite({ ecosystem: pypi, files, attestations });
    const many = { version: 1, attestation_bundles: [{ attestations: Array(17).fill({}) }, { attestations: Array(17).fill({}) }] };
    const taken = async (document: string) =>
      (await openAttestingSite({ ecosystem: pypi, files: new Map([...files, [PROVENANCE, Buffer.from(document)]]), attestations })).take(PYPI_FILE, PYPI_INDEX);

    const found = [await site.take(PYPI_FILE, PYPI_INDEX), await taken('{"version":2}'), await taken(JSON.stringify(many)), await taken('['.repeat(65))];

    expect(found.map(({ attested }) => attested)).toEqual([undefined, undefined, undefined, undefined]);
    expect(found.map(({ evidence }) => evidence.find(({ check }) => check === 'pep740-provenance'))).toEqual(
      [/different commits/, /^provenance: /, /more than 32/, /nested deeper/].map((why) => ({
        ...{ check: 'pep740-provenance', state: 'unchecked' },
        why: expect.stringMatching(why),
      })),
    );
  });
});

const NPM_FILES = {
  'package.json': `${JSON.stringify({ name: 'lamp', version: '1.0.0', repository: { type: 'git', url: `git+${LAMP_URL}.git` } })}\n`,
  'index.js': 'module.exports = 1;\n',
};

async function npmUpstream(
  build: { readonly repository: string; readonly commit: string },
  change: { readonly digest?: string; readonly document?: string | undefined } = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  const tarball = packed('package', NPM_FILES);
  const sha512 = hash('sha512', tarball, 'hex');
  const predicate = { buildDefinition: { resolvedDependencies: [{ uri: `git+${build.repository}@refs/heads/main`, digest: { gitCommit: build.commit } }] } };
  const bundle = await sigstore.attest(build, {
    statement: {
      ...{ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1', predicate },
      subject: [{ name: 'pkg:npm/lamp@1.0.0', digest: { sha512: change.digest ?? sha512 } }],
    },
  });
  const published = { predicateType: 'x', bundle: { verificationMaterial: { publicKey: { hint: 'the registry’s own' } } } };
  const document = 'document' in change ? change.document : JSON.stringify({ attestations: [published, { predicateType: 'x', bundle }] });
  const at = 'https://registry.example/-/npm/v1/attestations/lamp@1.0.0';
  const dist = {
    tarball: 'https://registry.example/lamp/-/lamp-1.0.0.tgz',
    integrity: `sha512-${Buffer.from(sha512, 'hex').toString('base64')}`,
    attestations: { url: at },
  };
  const packument = { name: 'lamp', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { name: 'lamp', version: '1.0.0', dist } } };
  return new Map([
    [NPM_INDEX.url, Buffer.from(JSON.stringify(packument))],
    [dist.tarball, tarball],
    ...(document === undefined ? [] : [[at, Buffer.from(document)] as const]),
  ]);
}

const PROVENANCE = 'https://registry.example/integrity/lamp/1.0.0/lamp-1.0.0.tar.gz/provenance';
const PYPI_FILES = {
  'PKG-INFO': `Metadata-Version: 2.1\nName: lamp\nVersion: 1.0.0\nProject-URL: Source, ${LAMP_URL}\n`,
  'pyproject.toml': '[project]\nname = "lamp"\nversion = "1.0.0"\n',
  'lamp.py': 'light = 1\n',
};

async function pypiUpstream(...commits: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const archive = packed('lamp-1.0.0', PYPI_FILES);
  const statement = {
    ...{ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://index.example/publish/v1', predicate: null },
    subject: [{ name: 'lamp-1.0.0.tar.gz', digest: { sha256: sha256(archive) } }],
  };
  const bundles = await Promise.all(commits.map((commit) => sigstore.attest({ repository: LAMP_URL, commit }, { statement })));
  const provenance = { version: 1, attestation_bundles: [{ publisher: { kind: 'x' }, attestations: bundles.map(toAttestation) }] };
  const file = { filename: 'lamp-1.0.0.tar.gz', url: 'https://files.example/lamp-1.0.0.tar.gz', hashes: { sha256: sha256(archive) }, provenance: PROVENANCE };
  return new Map([
    [PYPI_INDEX.url, Buffer.from(JSON.stringify({ meta: { 'api-version': '1.3' }, name: 'lamp', files: [file], versions: ['1.0.0'] }))],
    [file.url, archive],
    [PROVENANCE, Buffer.from(JSON.stringify(provenance))],
  ]);
}

/** PEP 740's own form of a bundle. */
function toAttestation({ verificationMaterial, dsseEnvelope }: TestBundle): object {
  return {
    version: 1,
    verification_material: { certificate: verificationMaterial.certificate.rawBytes, transparency_entries: verificationMaterial.tlogEntries },
    envelope: { statement: dsseEnvelope.payload, signature: dsseEnvelope.signatures[0]?.sig },
  };
}

/** A gzipped tar of these files below a folder. */
function packed(top: string, files: Readonly<Record<string, string>>): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'granary-packed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, top, path)), { recursive: true });
    writeFileSync(join(folder, top, path), text);
  }
  return execFileSync('tar', ['-C', folder, '-cz', top]);
}
