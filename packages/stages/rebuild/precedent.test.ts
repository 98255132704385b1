import { type BuildProposal, encodePlan } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeEntry, type Fact, formatPurl, type PinnedArtifact, sha256, toInstant, type Verdict } from '@granary/core/model';
import { expect, it } from 'vitest';
import { precedentOf } from './precedent.ts';

const DAY = 86_400_000;
const purlOf = (version: string, type = 'whl') => formatPurl({ type: 'tiny', name: 'box', version, fileName: `box-${version}.${type}` });
const proposalOf = (name: string): BuildProposal => ({ requirements: [name], before: toInstant(0), settings: {}, parameters: [], assists: [], notes: [] });

it('is what reproduced the release that was published closest, of the same kind of file', async () => {
  const site = openSite();
  await site.release('1.0', { day: 1, verdict: 'reproduced' });
  await site.release('2.0', { day: 20, verdict: 'reproduced-normalized' });
  await site.release('2.1', { day: 28, verdict: 'not-reproduced' });
  await site.release('2.2', { day: 29, verdict: 'reproduced', type: 'gz' });
  await site.release('3.0', { day: 50, verdict: 'reproduced' });

  expect(await site.precedent('2.3', 30)).toEqual(proposalOf('2.0'));
  expect(await site.precedent('3.1', 60)).toEqual(proposalOf('3.0'));
});

it('is none of its own, none of what was only looked at, and none where nothing was reproduced', async () => {
  const site = openSite();
  await site.release('1.0', { day: 1, verdict: 'failed-to-build' });
  await site.release('2.0', { day: 2, verdict: 'reproduced-normalized', method: 'source-files' });
  const before = await site.precedent('3.0', 3);

  await site.release('3.0', { day: 3, verdict: 'reproduced' });

  expect([before, await site.precedent('3.0', 3)]).toEqual([undefined, undefined]);
});

interface Made {
  readonly day: number;
  readonly verdict: Verdict;
  readonly type?: string;
  readonly method?: BuildProposal['method'];
}

function openSite() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  return {
    async release(version: string, { day, verdict, type = 'whl', method }: Made) {
      const subject = purlOf(version, type);
      const [digest, definition] = [sha256(subject), sha256(`definition of ${subject}`)];
      const stored = { sha256: digest, sizeBytes: 1, path: subject, publishedAt: toInstant(day * DAY), evidence: [] };
      add({ kind: 'stored', subject, inputs: [digest], body: stored });
      const proposal = { ...proposalOf(version), ...(method === undefined ? {} : { method }) };
      const bytes = encodePlan({ attempt: 1, proposal, result: { type: 'definition', definition } });
      const { sha256: manifest } = await blobs.put(bytes, { maxBytes: bytes.length });
      add({ kind: 'wanted', subject, body: { role: 'build', manifest, artifacts: 0 } });
      add({ kind: 'verdict', subject, inputs: [digest], body: { sha256: digest, verdict, definition } });
    },
    precedent(version: string, day: number) {
      const purl = purlOf(version);
      const target: PinnedArtifact = { purl, fileName: `box-${version}.whl`, sha256: sha256(purl), digests: {}, path: purl, publishedAt: toInstant(day * DAY) };
      return precedentOf({ catalog, blobs }, target);
    },
  };
}
