import { manualClock, memoryCatalog } from '@granary/contract/memory';
import { UpstreamError } from '@granary/contract/ports';
import { encodeEntry, type Fact, formatPurl, type Purl, sha256, toInstant, VanishedBody } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openRechecks, type RecheckPorts } from './recheck.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box' });
const HOUR_MS = 3_600_000;
const fileOf = (version: string) => formatPurl({ type: 'tiny', name: 'box', version, fileName: `box-${version}.zip` });
const urlOf = (version: string) => `http://upstream.example/box-${version}.zip`;

describe('a file of which the index says nothing', () => {
  it('is noticed when upstream replaced it, once, and noticed again when it is as it was', async () => {
    const site = openSite({ '1': 'first' });

    const before = await site.look();
    site.files.set(urlOf('1'), 'other');
    const replaced = await site.lookInAnHour();
    const again = await site.lookInAnHour();
    site.files.set(urlOf('1'), 'first');
    const back = await site.lookInAnHour();

    expect([before.facts, replaced, again.facts, back]).toEqual([0, { facts: 1, replaced: [fileOf('1')] }, 0, { facts: 1, replaced: [] }]);
    expect(site.states()).toEqual([{ state: 'replaced', replacement: { sha256: sha256('other') } }, { state: 'back' }]);
  });

  it('that grew is not read beyond what is held', async () => {
    const site = openSite({ '1': 'first' });
    site.files.set(urlOf('1'), 'x'.repeat(1000));

    await site.look();

    expect(site.states()).toEqual([{ state: 'replaced' }]);
    expect(site.asked).toEqual([`${urlOf('1')} 5`]);
  });

  it('is no news while upstream lacks it or does not answer', async () => {
    const site = openSite({ '1': 'first' });
    site.files.delete(urlOf('1'));

    expect((await site.look()).facts).toBe(0);
    site.silence();
    expect((await site.lookInAnHour()).facts).toBe(0);
  });

  it('is asked for by its tag once that is known', async () => {
    const site = openSite({ '1': 'first' });

    await site.look();
    await site.lookInAnHour();

    expect(site.asked).toEqual([`${urlOf('1')} 5`, `${urlOf('1')} 5 if not "5"`]);
  });

  it('has its turn once an hour, one release after the other', async () => {
    const site = openSite({ '1': 'first', '2': 'second', '3': 'third' });

    await site.look();
    await site.look();
    expect(site.asked).toHaveLength(1);
    await site.lookInAnHour();
    await site.lookInAnHour();

    expect(new Set(site.asked.map((line) => line.split(' ')[0]))).toEqual(new Set(['1', '2', '3'].map(urlOf)));
  });

  it('is left alone when more was asked for in an hour than may be', async () => {
    const site = openSite({ '1': 'first' }, { sizeBytes: 2 ** 30 + 1 });

    await site.look();

    expect(site.asked).toEqual([]);
  });
});

it('asks nothing where the index states digests', async () => {
  const site = openSite({ '1': 'first' }, { digests: { sha256: sha256('first') } });

  await site.look();

  expect(site.asked).toEqual([]);
});

/** A site that holds these releases, of an upstream that has them too. */
function openSite(releases: Readonly<Record<string, string>>, { sizeBytes, digests = {} }: { readonly sizeBytes?: number; readonly digests?: object } = {}) {
  const catalog = memoryCatalog();
  const clock = manualClock();
  const files = new Map(Object.entries(releases).map(([version, text]) => [urlOf(version), text]));
  const asked: string[] = [];
  let isSilent = false;
  const submit: RecheckPorts['sink']['submit'] = async (facts) => {
    for (const given of facts) {
      const fact: Fact = 'leaf' in given ? given.fact : given;
      catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
    }
  };
  const common = { yanked: false, evidence: [], companions: [] };
  const artifactOf = (version: string) => ({ purl: fileOf(version), fileName: `box-${version}.zip`, path: '', url: urlOf(version), digests, ...common });
  const rechecks = openRechecks({
    upstreamBase: '',
    clock,
    catalog,
    sink: { submit },
    ecosystem: { index: { unlisted: (_base: string, _purl: Purl, version: string) => [artifactOf(version)] } },
    upstream: {
      async open({ url, maxBytes, etag }) {
        asked.push(`${url} ${maxBytes}${etag === undefined ? '' : ` if not ${etag}`}`);
        const text = files.get(url);
        if (isSilent) throw new UpstreamError('unreachable', url, 'nobody answers');
        if (text === undefined) return { status: 'not-found', code: 404, at: clock.now() };
        if (text.length > maxBytes) throw new UpstreamError('too-large', url, 'more than is wanted');
        const tag = `"${text.length}"`;
        // Two texts of one length have one tag here only where they are the same.
        if (etag === tag && text !== 'other') return { status: 'not-modified', at: clock.now() };
        const body = async function* () {
          yield new TextEncoder().encode(text);
        };
        return { status: 'ok', url, contentType: '', etag: tag, body: body(), at: clock.now() };
      },
    },
  });
  const stored = Object.entries(releases).map(([version, text]): Fact => {
    const digest = sha256(text);
    return {
      kind: 'stored',
      subject: fileOf(version),
      inputs: [digest],
      body: { sha256: digest, sizeBytes: sizeBytes ?? text.length, path: '', evidence: [] },
    };
  });
  void submit(stored);
  return {
    files,
    asked,
    silence: () => {
      isSilent = true;
    },
    look: () => rechecks.afterLook(BOX),
    async lookInAnHour() {
      await clock.advance(HOUR_MS);
      return await rechecks.afterLook(BOX);
    },
    states: () => catalog.ofPackage('vanished', BOX, { history: true }).map(({ entry }) => VanishedBody.parse(entry.body)),
  };
}
