import { checkpointKey, tileKey } from '@granary/core/layout';
import { canonicalJson, sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openTestSite, verdictFact } from './test/site.ts';

const wheel = 'box-1-any.whl';
const evil = '<script>alert("x")</script>';
const comparison = {
  upstream: sha256(wheel),
  rebuild: sha256('rebuilt'),
  rung: 'none',
  ruleset: sha256('rules'),
  needed: [],
  residue: [{ path: `box/${evil}.py`, kind: 'content', cause: 'content-unexplained', detail: `detail ${evil}`, diff: `- ${evil}\n+ fine\n` }],
  residueOmitted: 3,
  findings: [{ code: 'crlf', side: 'upstream', detail: `finding ${evil}` }],
} as const;

async function judgedSite() {
  const site = openTestSite({ bundlesOf: async () => [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }] });
  await site.observe([{ fileName: wheel }]);
  const digest = await site.keep(wheel, { publishedAt: '2025-12-01T00:00:00Z' });
  const put = async (text: string) => (await site.store.blobs.put(Buffer.from(text), { maxBytes: 100_000 })).sha256;
  const digests = {
    comparison: await put(canonicalJson(comparison)),
    definition: await put(canonicalJson({ granary: 1, type: 'definition', notes: [] })),
    log: await put(`building ${evil}\n`),
  };
  const rebuilt = await put('rebuilt');
  site.record({
    kind: 'rebuilt',
    subject: `pkg:tiny/box@1?file_name=${wheel}`,
    inputs: [digests.definition],
    body: { status: 'built', sha256: rebuilt, sizeBytes: 7, fileName: wheel, exitCode: 0, fetched: digests.log, run: { log: digests.log } },
  });
  site.record(
    verdictFact(wheel, digest, {
      verdict: 'not-reproduced',
      cause: 'content-unexplained',
      tier: 'publisher-archive',
      comparison: digests.comparison,
      definition: digests.definition,
    }),
  );
  return { site, digest, digests, rebuilt };
}
const json = (text: string) => JSON.parse(text);

describe('the interface', () => {
  it('tells all that is recorded of an artifact', async () => {
    const { site, digest, digests } = await judgedSite();

    const artifact = json((await site.get(`/api/v1/artifacts/${digest}`)).text);

    expect(artifact).toMatchObject({
      purl: `pkg:tiny/box@1?file_name=${wheel}`,
      sha256: digest,
      url: `/tiny/files/${digest}/${wheel}`,
      verdict: 'not-reproduced',
      cause: 'content-unexplained',
      sourceTier: 'publisher-archive',
      evidence: [{ check: 'index-sha256', state: 'checked' }],
      meetsPolicy: false,
      policyProblem: 'not-reproduced (content-unexplained)',
      ...digests,
    });
    expect(artifact.facts.map(({ kind, index }: { kind: string; index: number }) => [kind, index])).toEqual([
      ['stored', 1],
      ['rebuilt', 2],
      ['verdict', 3],
    ]);
  });

  it.each(['pkg:tiny/box@1', encodeURIComponent('pkg:tiny/box@1')])('tells of the release %s', async (purl) => {
    const { site } = await judgedSite();

    expect(json((await site.get(`/api/v1/releases/${purl}`)).text)).toMatchObject({ purl: 'pkg:tiny/box@1', artifacts: [{ fileName: wheel }] });
  });

  it('tells of packages, statements and the site', async () => {
    const { site, digest } = await judgedSite();
    const get = async (path: string) => json((await site.get(`/api/v1/${path}`)).text);

    expect(await get('packages')).toEqual({ packages: ['pkg:tiny/box'] });
    expect(await get('packages/pkg:tiny/box')).toEqual({
      purl: 'pkg:tiny/box',
      releases: [{ purl: 'pkg:tiny/box@1', artifacts: 1, verdicts: { 'not-reproduced': 1 } }],
    });
    expect(await get(`artifacts/${digest}/bundles`)).toEqual({ bundles: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }] });
    expect(await get('status')).toMatchObject({ granary: 1, ready: true, ledger: { size: 4 }, packages: 1, artifacts: 1, verdicts: { 'not-reproduced': 1 } });
    expect(await get('keys')).toMatchObject({ publicKey: 'key' });
  });

  it('serves documents of ours, and nothing that a view could refuse', async () => {
    const { site, digest, digests, rebuilt } = await judgedSite();
    const status = async (path: string) => (await site.get(`/api/v1/${path}`)).status;

    expect(json((await site.get(`/api/v1/comparisons/${digests.comparison}`)).text)).toEqual(comparison);
    expect(await status(`definitions/${digests.definition}`)).toBe(200);
    expect(await site.get(`/api/v1/logs/${digests.log}`)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    });
    for (const refused of [`logs/${digest}`, `logs/${rebuilt}`, `definitions/${digests.comparison}`, `comparisons/${digests.log}`, `artifacts/${rebuilt}`])
      expect(await status(refused)).toBe(404);
    expect(await status('artifacts/xyz')).toBe(400);
    expect(await status('releases/not-a-purl')).toBe(400);
    expect(await status('nothing')).toBe(404);
  });

  it('describes itself by the schemas that it answers with', async () => {
    const document = json((await openTestSite().get('/api/v1/openapi.json')).text);

    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([
      '/status',
      '/packages',
      '/keys',
      '/packages/{purl}',
      '/releases/{purl}',
      '/artifacts/{sha256}',
      '/artifacts/{sha256}/bundles',
      '/comparisons/{sha256}',
      '/definitions/{sha256}',
      '/logs/{sha256}',
    ]);
    const referenced = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
    for (const reference of referenced) expect(document.components.schemas).toHaveProperty([reference.replace('#/components/schemas/', '')]);
    expect(document.components.schemas.Artifact.properties.verdict.enum).toContain('pending');
  });
});

describe('the page of a release', () => {
  it('shows verdict, tier, evidence and what differs, and lets nothing through that others wrote', async () => {
    const { site } = await judgedSite();

    const { status, headers, text } = await site.get('/releases/pkg%3Atiny%2Fbox%401');

    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    for (const shown of ['tiny/box 1', wheel, 'not-reproduced', 'publisher-archive', 'index-sha256', 'content-unexplained', '+ fine', '3 more differences'])
      expect(text).toContain(shown);
    expect(text).not.toContain('<script');
  });

  it('shows a quarantine first, and no link to the file', async () => {
    const { site, digest } = await judgedSite();
    site.state('quarantined', 'pkg:tiny/box@1', { reason: `MAL-1 ${evil}` });

    const { text } = await site.get('/releases/pkg%3Atiny%2Fbox%401');

    expect(text).toContain('Quarantined: MAL-1');
    expect(text).not.toContain(`href="/tiny/files/${digest}`);
    expect(text).not.toContain('<script');
  });

  it('of a package lists its releases, and the first page the packages', async () => {
    const { site } = await judgedSite();

    expect((await site.get('/releases/pkg%3Atiny%2Fbox')).text).toContain('href="/releases/pkg%3Atiny%2Fbox%401"');
    const { text } = await site.get('/');
    expect(text).toContain('href="/releases/pkg%3Atiny%2Fbox"');
    expect(text).toContain('tiny --index http://mirror.example/tiny/index/');
    expect((await site.get('/releases/pkg%3Atiny%2Fabsent%401')).status).toBe(404);
  });
});

describe('the ledger', () => {
  it('is served straight from the store; only full tiles may be kept for ever', async () => {
    const site = openTestSite();
    await site.store.mutable.replace(checkpointKey('ledger.example'), Buffer.from('note'));
    await site.store.objects.putOnce(tileKey('ledger.example', 'tile/0/000'), Buffer.alloc(8192));
    await site.store.objects.putOnce(tileKey('ledger.example', 'tile/entries/001.p/5'), Buffer.from('entries'));
    const get = async (path: string) => {
      const { status, headers } = await site.get(`/ledger/${path}`);
      return [status, headers['cache-control']];
    };

    expect(await get('checkpoint')).toEqual([200, 'no-cache']);
    expect(await get('tile/0/000')).toEqual([200, 'public, max-age=31536000, immutable']);
    expect(await get('tile/entries/001.p/5')).toEqual([200, 'public, max-age=60']);
    expect(await get('tile/0/001')).toEqual([404, 'no-cache']);
    expect(await get('head')).toEqual([404, 'no-cache']);
    expect(await get('staging/1-x')).toEqual([404, 'no-cache']);
  });
});

describe('those who run the site', () => {
  it('learn whether it lives, and why it should get no traffic', async () => {
    const reasons: string[] = [];
    const site = openTestSite({ notReady: () => reasons });

    expect((await site.get('/healthz')).status).toBe(200);
    expect((await site.get('/readyz')).status).toBe(200);
    reasons.push('an unknown critical kind: later');
    expect(await site.get('/readyz')).toMatchObject({ status: 503, reason: 'Granary is not ready: an unknown critical kind: later' });
    expect((await site.get('/healthz')).status).toBe(200);
  });

  it('get numbers for Prometheus', async () => {
    const site = openTestSite({ gauges: [{ name: 'granary_queue_depth', help: 'Jobs', value: () => 7 }] });
    await site.get('/tiny/index/absent/');

    const { text, headers } = await site.get('/metrics');

    expect(headers['content-type']).toMatch(/^text\/plain/);
    for (const line of ['granary_queue_depth 7', 'granary_ledger_size 0', 'granary_http_requests_total{route="package",status="404"} 1'])
      expect(text).toContain(line);
  });
});
