import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringGoTool, type GoTool } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpMirror } from './test/http-mirror.ts';
import { fileName, judged, makeSite, type TestSite, wheel } from './test/test-site.ts';

// cosign as its authors publish it, built once by the Go toolchain: about 15 minutes on two cores.
const COSIGN: GoTool = { package: 'github.com/sigstore/cosign/v3/cmd/cosign', version: 'v3.1.3' };

let cosign: string;
let root: string;
let site: TestSite;
let bundles: readonly string[];
beforeAll(async () => {
  cosign = await bringGoTool(COSIGN);
  root = await mkdtemp(join(tmpdir(), 'granary-cosign-'));
  site = await makeSite(root);
  await site.attest(judged);
  const mirror = await httpMirror(site);
  bundles = (await mirror.evidence.bundlesOf(judged.subject.sha256)).map((bundle) => JSON.stringify(bundle));
  const { publicKey, trustedRoot } = await mirror.evidence.keys();
  await mirror.close();
  await writeFile(join(root, fileName), wheel);
  await writeFile(join(root, 'granary.pub'), publicKey);
  await writeFile(join(root, 'trusted_root.json'), JSON.stringify(trustedRoot));
}, 3_600_000);
afterAll(() => rm(root, { recursive: true, force: true }));

interface Attempt {
  readonly bundle: string;
  readonly type?: string;
  readonly key?: string;
  readonly file?: string;
}

/** With no way to the network but a proxy that isn't there: cosign gets the trusted root from us or from nobody. */
async function verify({ bundle, type = typeOf(bundle), key = 'granary.pub', file = fileName }: Attempt) {
  await writeFile(join(root, 'bundle.json'), bundle);
  const args = ['verify-blob-attestation', '--key', key, '--trusted-root', 'trusted_root.json', '--bundle', 'bundle.json', '--type', type, file];
  const env = { PATH: process.env['PATH'], HOME: root, HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };
  const { status, stderr } = spawnSync(cosign, args, { cwd: root, encoding: 'utf8', env });
  return { status, stderr };
}

function typeOf(bundle: string): string {
  const { payload } = JSON.parse(bundle).dsseEnvelope;
  return JSON.parse(Buffer.from(payload, 'base64').toString()).predicateType;
}

describe('cosign', () => {
  it('says Verified OK of every statement, with granary.pub as the key and no insecure flag', async () => {
    expect(bundles).toHaveLength(3);
    for (const bundle of bundles) expect(await verify({ bundle })).toEqual({ status: 0, stderr: expect.stringContaining('Verified OK') });
  });

  it.each<[string, Partial<Attempt>, RegExp]>([
    ['file', { file: 'other.whl' }, /artifact digests do not match/],
    // The key is part of the ledger entry, which cosign makes anew from the key that it is given.
    ['key', { key: 'other.pub' }, /verifying inclusion/],
    ['type', { type: 'https://mirror.example/another' }, /invalid predicate type/],
  ])('refuses another %s', async (_, other, reason) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(root, 'other.whl'), 'other bytes');
    await writeFile(join(root, 'other.pub'), publicKey.export({ format: 'pem', type: 'spki' }));

    expect(await verify({ bundle: bundles[0] ?? '', ...other })).toEqual({ status: 1, stderr: expect.stringMatching(reason) });
  });

  it.each<[string, (bundle: string) => string, RegExp]>([
    [
      'an altered inclusion proof',
      (bundle) => bundle.replace(/"hashes":\["./, (start) => `${start.slice(0, -1)}${start.endsWith('A') ? 'B' : 'A'}`),
      /verifying inclusion: calculated root/,
    ],
    ['an altered checkpoint', (bundle) => bundle.replace(/mirror\.example\\n\d+\\n/, 'mirror.example\\n1000\\n'), /invalid signature for key mirror\.example/],
    ['another index', (bundle) => bundle.replaceAll(/"logIndex":"\d+"/g, '"logIndex":"1"'), /verifying inclusion: calculated root/],
    ['no ledger entry', withoutEntries, /log entr/],
    ['another signature', (bundle) => bundle.replace(/"sig":"[^"]+"/, '"sig":"MAYCAQECAQE="'), /verifying inclusion: calculated root/],
  ])('refuses %s', async (_, change, reason) => {
    const [bundle = ''] = bundles;
    const altered = change(bundle);
    expect(altered).not.toBe(bundle);

    expect(await verify({ bundle: altered, type: typeOf(bundle) })).toEqual({ status: 1, stderr: expect.stringMatching(reason) });
  });
});

function withoutEntries(bundle: string): string {
  const { verificationMaterial, ...rest } = JSON.parse(bundle);
  return JSON.stringify({ ...rest, verificationMaterial: { ...verificationMaterial, tlogEntries: [] } });
}
