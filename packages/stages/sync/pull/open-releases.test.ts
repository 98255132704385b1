import { EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { manualClock } from '@granary/contract/memory';
import { type Upstream, UpstreamError } from '@granary/contract/ports';
import { formatPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { openReleases } from './open-releases.ts';
import { openPullBudget } from './pull-budget.ts';

const BOXES = formatPurl({ type: 'tiny', name: 'box' });
const LIDS = formatPurl({ type: 'tiny', name: 'lid' });
const NEVER = new AbortController().signal;

it('asks for a release once, however many ask for its file, and again after a minute', async () => {
  const site = openSite();

  const [first, second] = await Promise.all([site.releases.of(BOXES, 'box-1'), site.releases.of(BOXES, 'box-1')]);
  await site.clock.advance(59_999);
  const third = [await site.releases.of(BOXES, 'box-1'), await site.releases.known('box-1')];
  await site.clock.advance(1);

  expect([first, second, ...third]).toEqual(
    Array(4).fill({ artifact: artifactAt('box-1'), statement: { url: 'http://upstream.example/box-1', text: 'box-1' } }),
  );
  expect([site.asked(), site.releases.known('box-1')]).toEqual([['box-1'], undefined]);
  await site.releases.of(BOXES, 'box-1');
  expect(site.asked()).toEqual(['box-1', 'box-1']);
});

it.each([
  ['upstream has no such release', 'absent'],
  ['upstream does not answer', 'silent'],
  ['what it sent can not be read', 'junk'],
  ['the release has another file', 'other'],
  ['the path does not tell', 'no release'],
])('leaves it to the document of the package where %s, and asks again next time', async (_, path) => {
  const site = openSite();

  const found = [await site.releases.of(BOXES, path), await site.releases.of(BOXES, path)];

  expect([found, site.releases.known(path)]).toEqual([[undefined, undefined], undefined]);
  expect(site.asked()).toEqual(path === 'no release' ? [] : [path, path]);
});

it('asks for eight releases of a package at once, since somebody may make them up', async () => {
  const site = openSite();
  const waiting = Promise.withResolvers<void>();
  site.hold(waiting.promise);

  const found = Array.from({ length: 10 }, (_, number) => site.releases.of(BOXES, `box-${number}`));
  const other = site.releases.of(LIDS, 'lid-1');
  waiting.resolve();

  expect((await Promise.all(found)).map((stated) => stated !== undefined)).toEqual([...Array(8).fill(true), false, false]);
  expect([(await other)?.artifact.path, (await site.releases.of(BOXES, 'box-9'))?.artifact.path]).toEqual(['lid-1', 'box-9']);
});

it('asks for nothing once the budget of the day is spent, which what it asked for counts towards', async () => {
  const site = openSite(5);

  const found = [await site.releases.of(BOXES, 'box-1'), await site.releases.of(BOXES, 'box-2')];

  expect(found.map((stated) => stated?.artifact.path)).toEqual(['box-1', undefined]);
  expect(site.asked()).toEqual(['box-1']);
});

it('remembers some thousand of the usual size, the newest', async () => {
  const site = openSite();
  const paths = Array.from({ length: 10 }, (_, number) => `box-${number}-${'x'.repeat(2 ** 20)}`);

  for (const path of paths) await site.releases.of(BOXES, path);

  const known = paths.map((path) => site.releases.known(path) !== undefined);
  expect([known[0], known[9], known.filter(Boolean).length]).toEqual([false, true, 7]);
});

it('does not hide faults of our own', async () => {
  const site = openSite();

  await expect(site.releases.of(BOXES, 'our fault')).rejects.toThrow('our fault');
  expect(site.releases.known('our fault')).toBe(undefined);
});

function openSite(maxBytesPerDay = 1e9) {
  const clock = manualClock();
  const asked: string[] = [];
  let held: Promise<void> = Promise.resolve();
  const upstream: Upstream = {
    async open({ url }) {
      const path = new URL(url).pathname.slice(1);
      asked.push(path);
      await held;
      if (path === 'absent') return { status: 'not-found', code: 404, at: clock.now() };
      if (path === 'silent') throw new UpstreamError('unreachable', url, 'no answer');
      return {
        status: 'ok',
        url,
        contentType: '',
        at: clock.now(),
        body: (async function* () {
          yield Buffer.from(path);
        })(),
      };
    },
  };
  const release = {
    ...{ accept: '', maxBytes: 100 },
    url: (base: string, _: string, path: string) => (path === 'no release' ? undefined : `${base}/${path.replace(' ', '-')}`),
    parse(bytes: Uint8Array, { path }: { readonly path: string }): UpstreamArtifact | undefined {
      const text = Buffer.from(bytes).toString();
      if (text === 'junk') throw new EcosystemError('malformed', 'junk');
      if (text === 'our-fault') throw new Error('our fault');
      return text === 'other' ? undefined : artifactAt(path);
    },
  };
  const releases = openReleases({
    ...{ upstreamBase: 'http://upstream.example', upstream, clock, signal: NEVER },
    ...{ budget: openPullBudget(clock, maxBytesPerDay), ecosystem: { index: { release } } },
  });
  const hold = (until: Promise<void>) => {
    held = until;
  };
  return { releases, clock, asked: () => asked, hold };
}

function artifactAt(path: string): UpstreamArtifact {
  const purl = formatPurl({ type: 'tiny', name: 'box', version: '1', fileName: path });
  return { purl, fileName: path, path, url: `http://upstream.example/files/${path}`, digests: {}, yanked: false, evidence: [], companions: [] };
}
