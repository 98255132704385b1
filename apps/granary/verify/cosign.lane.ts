import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpMirror } from './test/http-mirror.ts';
import { fileName, judged, makeSite, type TestSite, wheel } from './test/test-site.ts';

// cosign as its authors publish it, built once by the Go toolchain: about 15 minutes on two cores.
const COSIGN = 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3';
const folder = join(import.meta.dirname, '../../../.toolchain/cosign-v3.1.3');
const cosign = join(folder, 'cosign');

let root: string;
let site: TestSite;
let bundles: readonly string[];
beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  if (!existsSync(cosign)) {
    const built = spawnSync('go', ['install', '-trimpath', '-ldflags=-s -w', COSIGN], {
      env: { ...process.env, GOBIN: folder },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    expect(built.status, 'go install of cosign: needs Go 1.26 and a Go proxy').toBe(0);
  }
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

  it('refuses another file, another key and another type', async () => {
    const [bundle = ''] = bundles;
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(root, 'other.whl'), 'other bytes');
    await writeFile(join(root, 'other.pub'), publicKey.export({ format: 'pem', type: 'spki' }));

    for (const attempt of [{ file: 'other.whl' }, { key: 'other.pub' }, { type: 'https://mirror.example/another' }]) {
      expect((await verify({ bundle, ...attempt })).status, JSON.stringify(attempt)).not.toBe(0);
    }
  });

  it.each<[string, (bundle: string) => string]>([
    ['an altered inclusion proof', (bundle) => bundle.replace(/"hashes":\["./, (start) => `${start.slice(0, -1)}${start.endsWith('A') ? 'B' : 'A'}`)],
    ['an altered checkpoint', (bundle) => bundle.replace(/mirror\.example\\n\d+\\n/, 'mirror.example\\n1000\\n')],
    ['another index', (bundle) => bundle.replaceAll(/"logIndex":"\d+"/g, '"logIndex":"1"')],
    ['no ledger entry', (bundle) => bundle.replace(/"tlogEntries":\[.*\]\s*}/, '"tlogEntries":[]}')],
    ['another signature', (bundle) => bundle.replace(/"sig":"[^"]+"/, '"sig":"MAYCAQECAQE="')],
  ])('refuses %s', async (_, change) => {
    const [bundle = ''] = bundles;
    const altered = change(bundle);
    expect(altered).not.toBe(bundle);

    expect((await verify({ bundle: altered, type: typeOf(bundle) })).status).not.toBe(0);
  });
});
