import { sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, listed, openTestSite, verdictFact } from './test/site.ts';
import { fileOf } from './test/tiny-ecosystem.ts';

const one = 'box-1-any.whl';
const two = 'box-2-any.whl';
const path = (fileName: string) => `files/${sha256(fileName)}/${fileName}`;

describe('the view of all', () => {
  it('lists what is observed and stored, and shows a new fact at once', async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one);
    const before = listed(await site.get('/tiny/index/box/'));

    await site.keep(two);

    expect([before, listed(await site.get('/tiny/index/box/'))]).toEqual([[one], [one, two]]);
  });

  it('says of a name that is not held how to ask for it', async () => {
    const answer = await openTestSite().get('/tiny/index/absent/');

    expect(answer).toMatchObject({
      status: 404,
      reason: 'Granary does not hold tiny/absent: ask for it with granary watch request "pkg:tiny/absent", see http://mirror.example/',
    });
    expect(answer.text).toBe(`404 ${answer.reason}\n`);
  });

  it('goes on listing what upstream removed, marked, and serving it', async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one);
    await site.keep(two);
    await site.observe([{ fileName: two }]);
    site.state('vanished', fileOf(one), { state: 'gone' });

    expect(listed(await site.get('/tiny/index/box/'))).toEqual([two, `${one}!`]);
    expect((await site.get(`/tiny/${path(one)}`)).text).toBe(one);
  });

  it('marks everything when upstream removed the whole package, and nothing once it is back', async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }]);
    await site.keep(one);
    site.state('vanished', fileOf(one), { state: 'gone' });
    const gone = listed(await site.get('/tiny/index/box/'));
    site.state('vanished', fileOf(one), { state: 'back' });

    expect([gone, listed(await site.get('/tiny/index/box/'))]).toEqual([[`${one}!`], [one]]);
  });

  it('lists the new bytes of a file that upstream replaced, and keeps the old ones at their address', async () => {
    const site = openTestSite();
    const next = Buffer.from('other bytes');
    await site.observe([{ fileName: one }]);
    await site.keep(one);
    await site.observe([{ fileName: one, sha256: sha256(next) }]);
    const between = listed(await site.get('/tiny/index/box/'));
    await site.keep(one, { bytes: next });

    expect([between, listed(await site.get('/tiny/index/box/'))]).toEqual([[`${one}!`], [one]]);
    expect((await site.get(`/tiny/${path(one)}`)).text).toBe(one);
  });

  it('redirects to the canonical address, wherever the site is mounted', async () => {
    const answer = await openTestSite().get('/tiny/index/Box');

    expect([answer.status, answer.headers['location']]).toEqual([301, '../index/box/']);
  });
});

describe('a quarantine', () => {
  const quarantined = async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one, { metadata: 'Name: box' });
    await site.keep(two);
    return site;
  };

  it('hides a release and refuses its files and their companions in every view', async () => {
    const site = await quarantined();
    const size = site.size();
    site.state('quarantined', 'pkg:tiny/box@1', { reason: 'MAL-2026-1' });
    const line = 'Granary quarantined tiny/box 1: MAL-2026-1, see http://mirror.example/releases/pkg%3Atiny%2Fbox%401';

    expect(listed(await site.get('/tiny/index/box/'))).toEqual([two]);
    for (const view of ['', '/all', '/verified', `/as-of/2026-01-01T00:00:00Z@${size}`]) {
      expect(await site.get(`${view}/tiny/${path(one)}`)).toMatchObject({ status: 403, reason: line, text: `403 ${line}\n` });
      expect(await site.get(`${view}/tiny/${path(one)}.metadata`)).toMatchObject({ status: 403 });
    }
  });

  it('is lifted by a release', async () => {
    const site = await quarantined();
    site.state('quarantined', 'pkg:tiny/box@1', { reason: 'MAL-2026-1' });
    site.state('released', 'pkg:tiny/box@1', { reason: 'false alarm' });

    expect(listed(await site.get('/tiny/index/box/'))).toEqual([one, two]);
    expect((await site.get(`/tiny/${path(one)}`)).status).toBe(200);
  });

  it('of a package refuses its index too', async () => {
    const site = await quarantined();
    site.state('quarantined', 'pkg:tiny/box', { reason: 'taken over\r\nX: y — ü' });

    expect(await site.get('/tiny/index/box/')).toMatchObject({
      status: 403,
      reason: 'Granary quarantined tiny/box: taken over?X: y ? ?, see http://mirror.example/releases/pkg%3Atiny%2Fbox',
    });
  });

  it('leaves the bytes of an index as of an earlier ledger size as they were', async () => {
    const site = await quarantined();
    const asOf = `/as-of/2026-01-01T00:00:00Z@${site.size()}/tiny/index/box/`;
    const before = await site.get(asOf);
    site.state('quarantined', 'pkg:tiny/box', { reason: 'MAL-2026-1' });
    await site.observe([]);

    expect((await site.get(asOf)).bytes).toEqual(before.bytes);
    const fresh = openTestSite();
    expect((await fresh.get(asOf)).status).toBe(400);
  });
});

describe('a view as of a time', () => {
  it('shows the state that was observed then: what was yanked or removed later is there as it was', async () => {
    const site = openTestSite();
    site.at('2026-01-01T00:00:00Z');
    await site.observe([{ fileName: one, publishedAt: '2025-06-01T00:00:00Z' }]);
    await site.keep(one, { publishedAt: '2025-06-01T00:00:00Z' });
    site.at('2026-02-01T00:00:00Z');
    await site.observe([]);
    site.state('vanished', fileOf(one), { state: 'gone' });

    expect(listed(await site.get('/as-of/2026-01-15T00:00:00Z/tiny/index/box/'))).toEqual([one]);
    expect(listed(await site.get('/as-of/2026-02-01T00:00:00Z/tiny/index/box/'))).toEqual([`${one}!`]);
  });

  it('from before our first look is reconstructed, says so, and holds what was published by then', async () => {
    const site = openTestSite();
    await site.observe([
      { fileName: one, publishedAt: '2025-06-01T00:00:00Z' },
      { fileName: two, publishedAt: '2025-08-01T00:00:00Z' },
    ]);
    await site.keep(one, { publishedAt: '2025-06-01T00:00:00Z' });
    await site.keep(two, { publishedAt: '2025-08-01T00:00:00Z' });

    const answer = await site.get('/as-of/2025-07-01T00:00:00Z/tiny/index/box/');

    expect(listed(answer)).toEqual([`${one}?`]);
    expect(answer.headers['granary-state']).toBe('reconstructed');
  });

  it('includes what was published between two looks, by its time of publication', async () => {
    const site = openTestSite();
    site.at('2026-01-01T00:00:00Z');
    await site.observe([{ fileName: one, publishedAt: '2025-06-01T00:00:00Z' }]);
    await site.keep(one, { publishedAt: '2025-06-01T00:00:00Z' });
    site.at('2026-01-01T02:00:00Z');
    await site.observe([
      { fileName: one, publishedAt: '2025-06-01T00:00:00Z' },
      { fileName: two, publishedAt: '2026-01-01T00:30:00Z' },
    ]);
    await site.keep(two, { publishedAt: '2026-01-01T00:30:00Z' });

    expect(listed(await site.get('/as-of/2026-01-01T00:10:00Z/tiny/index/box/'))).toEqual([one]);
    expect(listed(await site.get('/as-of/2026-01-01T01:00:00Z/tiny/index/box/'))).toEqual([one, two]);
  });

  it('shows a file without a time of publication only where it had been seen by then', async () => {
    const site = openTestSite();
    site.at('2026-01-02T00:00:00Z');
    await site.observe([{ fileName: one }]);
    await site.keep(one);

    expect(listed(await site.get('/as-of/2026-01-01T00:00:00Z/tiny/index/box/'))).toEqual([]);
    expect(listed(await site.get('/as-of/2026-01-02T00:00:00Z/tiny/index/box/'))).toEqual([one]);
  });

  it('refuses files by their address that were not there then', async () => {
    const site = openTestSite();
    site.at('2026-01-02T00:00:00Z');
    await site.observe([{ fileName: one, publishedAt: '2025-12-01T00:00:00Z' }]);
    await site.keep(one, { publishedAt: '2025-12-01T00:00:00Z' });

    expect((await site.get(`/as-of/2025-12-02T00:00:00Z/tiny/${path(one)}`)).status).toBe(200);
    expect(await site.get(`/as-of/2025-11-01T00:00:00Z/tiny/${path(one)}`)).toMatchObject({
      status: 403,
      reason:
        'Granary as-of 2025-11-01T00:00:00.000Z has no tiny/box 1 box-1-any.whl: it was not there then, see http://mirror.example/releases/pkg%3Atiny%2Fbox%401',
    });
  });

  it('at a ledger size never changes, whatever is learnt later', async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one);
    const address = `/as-of/2026-01-01T00:00:00Z@${site.size()}/tiny/index/box/`;
    const before = await site.get(address);
    await site.keep(two);

    expect((await site.get(address)).headers['etag']).toBe(before.headers['etag']);
    expect(listed(await site.get('/as-of/2026-01-01T00:00:00Z/tiny/index/box/'))).toEqual([one, two]);
  });

  it.each([
    ['/as-of/2999-01-01T00:00:00Z/tiny/index/box/', 'Granary as-of 2999-01-01T00:00:00.000Z: that is in the future, it is 2026-01-01T00:00:00.000Z now'],
    ['/as-of/2025-01-01T00:00:00Z@9/tiny/index/box/', 'Granary as-of 2025-01-01T00:00:00.000Z@9: the ledger has 0 entries'],
    [
      '/as-of/yesterday/tiny/index/box/',
      "Granary can't answer this: as-of yesterday: expected an RFC 3339 time, such as as-of/2026-01-31T12:00:00Z, see http://mirror.example/",
    ],
  ])('refuses %s in one line', async (target, reason) => {
    expect(await openTestSite().get(target)).toMatchObject({ status: 400, reason });
  });

  it('can be all that a host answers', async () => {
    const site = openTestSite();
    await site.observe([{ fileName: one }]);
    await site.keep(one);
    const only = site.serve.only({ type: 'as-of', time: toInstant(Date.UTC(2026, 0, 1)), size: site.size() }, 'http://127.0.0.1:3128');

    expect((await only({ method: 'GET', target: '/tiny/index/box/', headers: {} })).status).toBe(200);
    expect((await only({ method: 'GET', target: '/all/tiny/index/box/', headers: {} })).status).toBe(400);
    expect((await only({ method: 'GET', target: '/api/v1/status', headers: {} })).status).toBe(400);
    expect((await only({ method: 'GET', target: '/tiny/address', headers: {} })).body).toEqual(new TextEncoder().encode('http://127.0.0.1:3128/tiny'));
    expect((await site.get('/tiny/address')).text).toBe('http://mirror.example/tiny');
  });
});

it('what one build sees is not what another saw, though both reach it at one address', async () => {
  const site = openTestSite();
  await site.observe([{ fileName: one }, { fileName: two }]);
  await site.keep(one, { publishedAt: '2025-01-01T00:00:00Z' });
  await site.keep(two, { publishedAt: '2025-06-01T00:00:00Z' });
  const shownAt = async (month: number) => {
    const only = site.serve.only({ type: 'as-of', time: toInstant(Date.UTC(2025, month, 2)), size: site.size() }, 'http://127.0.0.1:3128');
    const { body } = await only({ method: 'GET', target: '/tiny/index/box/', headers: {} });
    return [one, two].filter((name) => body instanceof Uint8Array && new TextDecoder().decode(body).includes(name));
  };

  expect(await shownAt(11)).toEqual([one, two]);
  expect(await shownAt(1)).toEqual([one]);
});

describe('the view of what is verified', () => {
  const judged = async (policy: Partial<typeof DEFAULT_POLICY> = {}) => {
    const site = openTestSite({ policy: { ...DEFAULT_POLICY, ...policy } });
    await site.observe([{ fileName: one }, { fileName: two }]);
    const digest = await site.keep(one, { publishedAt: '2025-12-30T00:00:00Z' });
    await site.keep(two, { publishedAt: '2025-12-30T00:00:00Z' });
    site.record(verdictFact(one, digest, { verdict: 'reproduced', rung: 'identical', tier: 'publisher-archive' }));
    return site;
  };

  it('has what meets the policy, and refuses the rest by address too, with the reason', async () => {
    const site = await judged();

    expect(listed(await site.get('/verified/tiny/index/box/'))).toEqual([one]);
    expect((await site.get(`/verified/tiny/${path(one)}`)).status).toBe(200);
    expect(await site.get(`/verified/tiny/${path(two)}`)).toMatchObject({
      status: 403,
      reason: 'Granary policy verified refuses tiny/box 2 box-2-any.whl: no verdict yet, see http://mirror.example/releases/pkg%3Atiny%2Fbox%402',
    });
  });

  it('says why it has nothing of a package, which an empty index would not', async () => {
    const site = await judged({ verdicts: ['reproduced-normalized'] });
    const { status, reason } = await site.get('/verified/tiny/index/box/');
    site.record(verdictFact(two, sha256(two), { verdict: 'unsupported', failureClass: 'unsupported-ecosystem' }));
    const only = await site.get('/verified/tiny/index/box/');

    expect([status, reason]).toEqual([
      403,
      'Granary policy verified refuses all 2 files of tiny/box that are held: reproduced, and other reasons, see http://mirror.example/',
    ]);
    expect(only.text).toContain('and other reasons');
  });

  it('refuses what could not be rebuilt, unless the policy names that verdict', async () => {
    const strict = await judged();
    const lenient = await judged({ verdicts: ['reproduced', 'unsupported'] });
    for (const site of [strict, lenient]) site.record(verdictFact(two, sha256(two), { verdict: 'unsupported', failureClass: 'native-code' }));

    expect((await strict.get(`/verified/tiny/${path(two)}`)).text).toContain('unsupported (native-code)');
    expect(listed(await lenient.get('/verified/tiny/index/box/'))).toEqual([one, two]);
  });

  it('can demand a source tier', async () => {
    const site = await judged({ tiers: ['commit-attested'] });

    expect((await site.get(`/verified/tiny/${path(one)}`)).text).toContain('source tier publisher-archive');
  });

  it('refuses what reproduces only from an archive that its commit speaks against, unless the policy puts up with that', async () => {
    const strict = await judged();
    const lenient = await judged({ findings: ['commit-lacks-files'] });
    const findings = ['sources-disagree', 'commit-lacks-files'];
    for (const site of [strict, lenient])
      site.record(verdictFact(two, sha256(two), { verdict: 'reproduced', rung: 'identical', tier: 'publisher-archive', findings }));

    expect(await strict.get(`/verified/tiny/${path(two)}`)).toMatchObject({ status: 403, text: expect.stringContaining('commit-lacks-files') });
    expect(listed(await strict.get('/verified/tiny/index/box/'))).toEqual([one]);
    expect(listed(await lenient.get('/verified/tiny/index/box/'))).toEqual([one, two]);
  });

  it('lets a waiver through until it expires, without a new fact', async () => {
    const site = await judged({ waivers: [{ purl: 'pkg:tiny/box@2', owner: 'platform', reason: 'reviewed by hand', expires: '2026-01-31' }] });
    const before = listed(await site.get('/verified/tiny/index/box/'));
    site.at('2026-02-01T00:00:00Z');

    expect([before, listed(await site.get('/verified/tiny/index/box/'))]).toEqual([[one, two], [one]]);
    expect((await site.get(`/verified/tiny/${path(two)}`)).status).toBe(403);
  });

  it('lets a file through when it is old enough, without a new fact', async () => {
    const site = await judged({ minAgeDays: 7 });
    const before = await site.get('/verified/tiny/index/box/');
    site.at('2026-01-06T00:00:00Z');

    expect(before.text).toContain('younger than 7 days');
    expect(listed(await site.get('/verified/tiny/index/box/'))).toEqual([one]);
  });

  it('shows everything in report mode, and says how much it would refuse', async () => {
    const site = await judged({ mode: 'report' });

    const answer = await site.get('/verified/tiny/index/box/');

    expect(listed(answer)).toEqual([one, two]);
    expect(answer.headers['granary-policy']).toBe('report; below=1');
    expect((await site.get(`/verified/tiny/${path(two)}`)).status).toBe(200);
  });

  it('can be what a site shows without being asked', async () => {
    const site = openTestSite({ defaultView: 'verified' });
    await site.observe([{ fileName: one }]);
    await site.keep(one);

    expect((await site.get('/tiny/index/box/')).status).toBe(403);
    expect(listed(await site.get('/all/tiny/index/box/'))).toEqual([one]);
  });
});
