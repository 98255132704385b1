import { decodeClosure } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { FactSink } from '@granary/contract/ports';
import { encodeEntry, type Fact, toInstant, WantedBody, WatchedBody } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { acceptRequests, addWatched, type DemandedEcosystem, demandSpecification, importWatchList, removeWatched, requestWatched } from './index.ts';
import { tinyUpstream } from './test/tiny.ts';

function openSite(...ecosystems: readonly DemandedEcosystem[]) {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const sink: FactSink = {
    async submit(facts) {
      for (const given of facts) {
        const fact: Fact = 'leaf' in given ? given.fact : given;
        catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
      }
    },
  };
  const ports = { ecosystems, blobs, catalog, sink };
  const closureOf = async (specification: string) => {
    const fact = catalog.current('wanted', specification);
    const bytes = fact === undefined ? undefined : await blobs.read(WantedBody.parse(fact.entry.body).manifest, 2 ** 20);
    return bytes === undefined ? undefined : decodeClosure(bytes);
  };
  const watchedBody = (specification: string) => WatchedBody.parse(catalog.current('watched', specification)?.entry.body);
  return { ports, closureOf, watchedBody };
}

const bom = (...purls: readonly (string | undefined)[]) =>
  new TextEncoder().encode(
    JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', components: purls.map((purl) => ({ type: 'library', name: 'nameless', purl })) }),
  );

describe('an SBOM', () => {
  it('asks every ecosystem that it names for its releases, in one closure, and says what it cannot ask for', async () => {
    const { ports, closureOf } = openSite(tinyUpstream({ 'box@1': 10 }), tinyUpstream({ 'crate@2': 5 }, 'huge'));
    const content = bom(
      'pkg:tiny/box@1',
      'pkg:huge/crate@2',
      'pkg:tiny/gone@9',
      'pkg:deb/debian/openssl@3',
      'pkg:tiny/box',
      'pkg:tiny/other-registry@1',
      'pkg:tiny/fork@1?vcs_url=git%2Bhttps://forge.example/fork',
      'pkg:tiny/moved@1?download_url=https://files.example/moved-1.box',
      'not a purl',
      undefined,
    );
    await importWatchList(ports, [{ specification: 'bom.json', content }]);

    await demandSpecification(ports, 'bom.json');

    const closure = await closureOf('bom.json');
    expect(closure?.artifacts.map(({ fileName }) => fileName).sort()).toEqual(['box-1.box', 'crate-2.box']);
    expect(closure?.missing).toEqual([
      'library nameless: has no package URL',
      'not a purl: not a package URL',
      'pkg:deb/debian/openssl@3: packages of type deb are not mirrored here',
      'pkg:tiny/box: names no version',
      'pkg:tiny/fork@1?vcs_url=git%2Bhttps://forge.example/fork: comes from a repository (vcs_url), not from a registry',
      "pkg:tiny/gone: upstream doesn't have it",
      'pkg:tiny/moved@1?download_url=https://files.example/moved-1.box: names a place of its own (download_url) and no digest to know its file by',
      'pkg:tiny/other-registry@1: not a release of a tiny registry',
    ]);
  });

  it('of which nothing lies in a registry is recorded, with nothing but what is missing', async () => {
    const { ports, closureOf } = openSite(tinyUpstream({}));
    await importWatchList(ports, [{ specification: 'bom.json', content: bom('pkg:deb/debian/openssl@3') }]);

    await demandSpecification(ports, 'bom.json');

    expect(await closureOf('bom.json')).toMatchObject({ artifacts: [], missing: [expect.stringContaining('openssl')] });
  });

  it('of which upstream has nothing is asked for again', async () => {
    const { ports } = openSite(tinyUpstream({}));
    await importWatchList(ports, [{ specification: 'bom.json', content: bom('pkg:tiny/box@1') }]);

    await expect(demandSpecification(ports, 'bom.json')).rejects.toMatchObject({ name: 'JobError', retry: 'later' });
  });

  it('that is malformed is not asked for again', async () => {
    const { ports } = openSite(tinyUpstream({}));
    await importWatchList(ports, [{ specification: 'bom.json', content: new TextEncoder().encode('{') }]);

    await expect(demandSpecification(ports, 'bom.json')).rejects.toMatchObject({ name: 'JobError', retry: 'never' });
  });
});

describe('a quota', () => {
  it('that a closure is above leaves all of it out, and says what it comes to', async () => {
    const { ports, closureOf } = openSite(tinyUpstream({ 'box@1': 600, 'crate@1': 600, 'chest@1': undefined }));
    const content = new TextEncoder().encode('box@1\ncrate@1\nchest@1');
    await importWatchList(ports, [{ specification: 'tiny.lock', content, quotaBytes: 1000 }]);

    await demandSpecification(ports, 'tiny.lock');
    const above = await closureOf('tiny.lock');
    await importWatchList(ports, [{ specification: 'tiny.lock', content, quotaBytes: 1200 }]);
    await demandSpecification(ports, 'tiny.lock');

    expect(above).toMatchObject({
      artifacts: [],
      missing: ['above its quota: 3 files of 1200 bytes and 1 of unknown size, the quota is 1000 bytes'],
    });
    expect((await closureOf('tiny.lock'))?.artifacts).toHaveLength(3);
  });
});

describe('what a command watches', () => {
  const SPECIFICATION = 'pkg:tiny/box@1';

  it('stays when the configuration is read again, and ends when a command says so', async () => {
    const { ports, watchedBody } = openSite();

    expect(await addWatched(ports, { specification: SPECIFICATION, quotaBytes: 7 })).toMatchObject({ type: 'changed' });
    expect(await addWatched(ports, { specification: SPECIFICATION, quotaBytes: 7 })).toEqual({ type: 'unchanged' });
    expect(await importWatchList(ports, [])).toBe(0);
    expect(watchedBody(SPECIFICATION)).toEqual({ state: 'active', by: 'command', quotaBytes: 7 });
    expect(await removeWatched(ports, SPECIFICATION)).toMatchObject({ type: 'changed' });
    expect(await removeWatched(ports, SPECIFICATION)).toEqual({ type: 'not-watched' });
  });

  it('is not what the configuration names', async () => {
    const { ports } = openSite();
    await importWatchList(ports, [{ specification: SPECIFICATION }]);

    expect(await addWatched(ports, { specification: SPECIFICATION })).toEqual({ type: 'of-configuration' });
    expect(await removeWatched(ports, SPECIFICATION)).toEqual({ type: 'of-configuration' });
    expect(await requestWatched(ports, SPECIFICATION)).toEqual({ type: 'unchanged' });
  });
});

describe('a request', () => {
  it('waits until an operator accepts it, or declines', async () => {
    const { ports, watchedBody } = openSite();
    for (const name of ['one', 'two']) await requestWatched(ports, `pkg:tiny/${name}`);
    expect(await importWatchList(ports, [])).toBe(0);
    expect(watchedBody('pkg:tiny/one')).toEqual({ state: 'requested', by: 'command' });

    await addWatched(ports, { specification: 'pkg:tiny/one' });
    await removeWatched(ports, 'pkg:tiny/two');

    expect([watchedBody('pkg:tiny/one').state, watchedBody('pkg:tiny/two').state]).toEqual(['active', 'removed']);
  });

  it('is accepted by a rule, and by no other', async () => {
    const { ports, watchedBody } = openSite();
    for (const name of ['%40ours/one', 'theirs']) await requestWatched(ports, `pkg:tiny/${name}`);

    expect(await acceptRequests(ports, [])).toBe(0);
    expect(await acceptRequests(ports, ['pkg:tiny/@ours/*'])).toBe(1);
    expect(await acceptRequests(ports, ['pkg:tiny/%40ours/*'])).toBe(0);
    expect(await importWatchList(ports, [])).toBe(0);

    expect(watchedBody('pkg:tiny/%40ours/one')).toEqual({ state: 'active', by: 'rule' });
    expect(watchedBody('pkg:tiny/theirs').state).toBe('requested');
  });
});
