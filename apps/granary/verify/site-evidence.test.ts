import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BundlesDocument, KeysDocument, parseEnvelope } from '@granary/core/bundle';
import { checkpointKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { siteEvidence } from './index.ts';
import { judged, makeSite, ORIGIN, type TestSite } from './test/test-site.ts';

let root: string;
let site: TestSite;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'granary-evidence-'));
  site = await makeSite(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const evidence = () => siteEvidence({ catalog: site.catalog, objects: site.store.objects, publicKey: site.publicKey });

describe('the evidence of a site', () => {
  it('is every statement about a file, oldest first, as documents that verifiers read', async () => {
    const size = await site.attest(judged);
    const bundles = await evidence().bundlesOf(judged.subject.sha256);

    expect(BundlesDocument.parse({ bundles: JSON.parse(JSON.stringify(bundles)) }).bundles).toHaveLength(3);
    expect(bundles.map((bundle) => JSON.stringify(bundle).match(/"logIndex":"(\d+)"/)?.[1])).toEqual([6, 4, 2].map((back) => String(size - back)));
  });

  it('is nothing about a file that nobody judged', async () => {
    expect(await evidence().bundlesOf(sha256('unknown'))).toEqual([]);
  });

  it('leaves out what the catalog has and the published checkpoint does not', async () => {
    const before = (await site.store.objects.get(checkpointKey(ORIGIN), 1e6)) ?? new Uint8Array();
    await site.attest(judged);
    await site.store.mutable.replace(checkpointKey(ORIGIN), before);

    expect(await evidence().bundlesOf(judged.subject.sha256)).toEqual([]);
  });

  it('holds keys, trusted root and the endorsement of the ledger', async () => {
    const keys = KeysDocument.parse(JSON.parse(JSON.stringify(await evidence().keys())));

    expect(keys.publicKey).toBe(site.publicKey);
    expect(keys.trustedRoot).toMatchObject({ tlogs: [{ baseUrl: `https://${ORIGIN}` }] });
    expect(keys.endorsements.map((json) => parseEnvelope(Buffer.from(JSON.stringify(json))).keyId)).toEqual([site.keys.statement.keyId]);
  });
});
