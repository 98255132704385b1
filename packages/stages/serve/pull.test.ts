import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openPullSite } from './test/pull-site.ts';
import { listed, openTestSite } from './test/site.ts';
import { fileOf } from './test/tiny-ecosystem.ts';

const one = 'box-1-any.whl';
const two = 'box-2-any.whl';
const path = (fileName: string) => `files/${sha256(fileName)}/${fileName}`;
const BOX = 'pkg:tiny/box';
const INDEX = '/pull/tiny/index/box/';

describe('a view that fetches what is missing', () => {
  it('lists what upstream lists now, held or not, while other views show what is held', async () => {
    const { site, list } = openPullSite();
    list([{ fileName: one }, { fileName: two }]);
    const before = [(await site.get('/tiny/index/box/')).status, listed(await site.get(INDEX))];
    await site.keep(two);

    expect(before).toEqual([404, [one, two]]);
    expect([listed(await site.get(INDEX)), listed(await site.get('/tiny/index/box/'))]).toEqual([[one, two], [two]]);
  });

  it('fetches a file that is asked for, and then holds it', async () => {
    const { site, list, asked } = openPullSite();
    list([{ fileName: one }]);
    await site.get(INDEX);

    const first = await site.get(`/pull/tiny/${path(one)}`);
    const again = await site.get(`/pull/tiny/${path(one)}`);

    expect([first.status, first.text, first.headers['etag']]).toEqual([200, one, `"${sha256(one)}"`]);
    expect([again.text, (await site.get(`/all/tiny/${path(one)}`)).text]).toEqual([one, one]);
    expect(asked).toEqual([BOX, expect.stringContaining('bytes @1')]);
  });

  it('has in every other view what a client was given, however late it is recorded', async () => {
    const { site, list, recordLate } = openPullSite();
    list([{ fileName: one }, { fileName: two }]);
    recordLate();
    const given = await site.get(`/pull/tiny/${path(one)}`);
    const index = await site.get('/tiny/index/box/');
    await site.get(`/pull/tiny/${path(two)}`);
    const file = await site.get(`/all/tiny/${path(two)}`);

    expect([given.text, listed(index), file.text]).toEqual([one, [one], two]);
  });

  it('fetches a file by its address alone, as clients with a lock do', async () => {
    const { site, list } = openPullSite();
    list([{ fileName: one }]);

    expect((await site.get(`/pull/tiny/${path(one)}`)).text).toBe(one);
  });

  it('gives at once what is in memory', async () => {
    const { site, list, holdInMemory } = openPullSite();
    list([{ fileName: one }]);
    holdInMemory();

    const { status, text, headers } = await site.get(`/pull/tiny/${path(one)}`);

    expect([status, text, headers['content-length']]).toEqual([200, one, String(one.length)]);
  });

  it('gives a file that another request brought while this one was looking at the index', async () => {
    const { site, list, asked, meanwhile } = openPullSite();
    list([{ fileName: one }]);
    meanwhile(async () => void (await site.keep(one)));

    expect(await site.get(`/pull/tiny/${path(one)}`)).toMatchObject({ status: 200, text: one });
    expect(asked).toEqual([BOX]);
  });

  it('fetches all of a file that is asked for in parts', async () => {
    const { site, list, asked } = openPullSite();
    list([{ fileName: one }]);

    const answer = await site.get(`/pull/tiny/${path(one)}`, { range: 'bytes=4-4' });

    expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([206, '1', `bytes 4-4/${one.length}`]);
    expect(asked.at(-1)).toMatch(/^whole /);
  });

  it('asks nobody for HEAD', async () => {
    const { site, list, asked } = openPullSite();
    list([{ fileName: one }]);
    const unknown = [await site.head(INDEX), await site.head(`/pull/tiny/${path(one)}`)];
    await site.observe([{ fileName: one }]);
    const known = [await site.head(INDEX), await site.head(`/pull/tiny/${path(one)}`)];

    expect([...unknown, ...known].map(({ status }) => status)).toEqual([404, 404, 200, 200]);
    expect(asked).toEqual([]);
  });

  it('shows what is known when upstream does not answer, and says so', async () => {
    const { site, list } = openPullSite();
    list('silent');
    const unknown = [await site.get(INDEX), await site.get(`/pull/tiny/${path(one)}`)];
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one);
    const known = await site.get(INDEX);

    expect(unknown.map(({ status, reason }) => [status, reason])).toEqual(
      Array(2).fill([503, 'Granary does not hold tiny/box, and did not fetch it: upstream does not answer now, or has been asked enough for today']),
    );
    expect([listed(known), known.headers['granary-state']]).toEqual([[one, two], 'stale']);
    expect((await site.get(`/pull/tiny/${path(one)}`)).text).toBe(one);
  });

  it('says that upstream has no such package, and goes on with what is held of one that it had', async () => {
    const { site } = openPullSite();
    const absent = await site.get(INDEX);
    await site.observe([{ fileName: one }]);
    await site.keep(one);
    site.state('vanished', fileOf(one), { state: 'gone' });

    expect([absent.status, absent.reason]).toEqual([404, 'Granary does not hold tiny/box, and upstream has no such package']);
    expect(listed(await site.get(INDEX))).toEqual([`${one}!`]);
  });

  it('says why a file could not be had', async () => {
    const { site, list, refuse } = openPullSite();
    list([{ fileName: one }]);
    refuse({ status: 503, why: 'quota' });

    expect(await site.get(`/pull/tiny/${path(one)}`)).toMatchObject({ status: 503, reason: 'Granary does not hold tiny/box 1, and did not fetch it: quota' });
  });

  it('is not offered by a process that reaches no upstream', async () => {
    expect(await openTestSite().get(INDEX)).toMatchObject({ status: 501, reason: expect.stringContaining('pullThrough: in granary.yaml') });
  });
});

describe('what may not be fetched', () => {
  it('is refused by index and address without asking upstream; what is held is served', async () => {
    const { site, asked } = openPullSite(() => ({ status: 403, why: 'not allowed' }));
    const before = [await site.get(INDEX), await site.get(`/pull/tiny/${path(one)}`)];
    await site.observe([{ fileName: one }, { fileName: two }]);
    await site.keep(one);

    expect(before.map(({ status, reason }) => [status, reason])).toEqual(
      Array(2).fill([403, 'Granary does not hold tiny/box, and did not fetch it: not allowed']),
    );
    expect([listed(await site.get(INDEX)), (await site.get(`/pull/tiny/${path(one)}`)).text]).toEqual([[one], one]);
    expect((await site.get(`/pull/tiny/${path(two)}`)).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it('is left out release by release', async () => {
    const { site, list } = openPullSite((purl) => (purl.includes('@2') ? { status: 403, why: 'not allowed' } : undefined));
    list([{ fileName: one }, { fileName: two }]);

    expect(listed(await site.get(INDEX))).toEqual([one]);
    expect((await site.get(`/pull/tiny/${path(two)}`)).status).toBe(403);
  });

  it.each([BOX, 'pkg:tiny/box@1', fileOf(one)])('is what is quarantined as %s, held or not', async (subject) => {
    const { site, list, asked } = openPullSite();
    list([{ fileName: one }, { fileName: two }]);
    site.state('quarantined', subject, { reason: 'MAL-1' });
    const index = await site.get(INDEX);

    expect(await site.get(`/pull/tiny/${path(one)}`)).toMatchObject({ status: 403, reason: expect.stringContaining('MAL-1') });
    expect(subject === BOX ? index.status : listed(index)).toEqual(subject === BOX ? 403 : [two]);
    expect(asked.some((what) => what.startsWith('bytes'))).toBe(false);
  });

  it('is what upstream has under the name of a file that is held with other bytes', async () => {
    const { site, list, asked } = openPullSite();
    const other = sha256('other bytes');
    await site.observe([{ fileName: one }]);
    await site.keep(one);
    list([{ fileName: one, sha256: other }]);

    expect(listed(await site.get(INDEX))).toEqual([`${one}!`]);
    expect(await site.get(`/pull/tiny/files/${other}/${one}`)).toMatchObject({ status: 403, reason: expect.stringContaining('the first ones stay') });
    expect((await site.get(`/pull/tiny/${path(one)}`)).text).toBe(one);
    expect(asked).toEqual([BOX]);
  });
});
