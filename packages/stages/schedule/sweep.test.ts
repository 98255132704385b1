import { encodeClosure } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeEntry, formatPurl, type Sha256, type StateFact, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { sweep } from './sweep.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box' });
const SPECIFICATION = 'pkg:tiny/box';

it('demands anew for each state of upstream that the closure was not resolved on, and for none that it was', async () => {
  const { record, want, demands } = await openTestSite();
  await want(sha256('one'));

  record('observed', BOX, observed('one'));
  const settled = await demands();
  record('observed', BOX, observed('two'));
  const [second, again] = [await demands(), await demands()];
  record('observed', BOX, observed('three'));
  const third = await demands();
  record('observed', BOX, observed('one'));

  expect([settled, second.length, third.length]).toEqual([[], 1, 1]);
  expect(again).toEqual(second);
  expect(third).not.toEqual(second);
  expect(await demands()).toEqual([]);
});

it('demands anew when another lockfile stands under the same name, until that one was resolved', async () => {
  const { record, want, demands } = await openTestSite();
  await want(sha256('one'));
  const before = await demands();

  record('watched', SPECIFICATION, { state: 'active', by: 'configuration', content: sha256('another lockfile') });
  const changed = await demands();
  await want(sha256('one'));

  expect([before, changed.length, await demands()]).toEqual([[], 1, []]);
});

async function openTestSite() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const record = (kind: StateFact['kind'], subject: string, body: StateFact['body']) => {
    const before = catalog.current(kind, subject);
    const fact: StateFact = { kind, subject, body, ...(before === undefined ? {} : { prev: before.key }) };
    catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  };
  record('watched', SPECIFICATION, { state: 'active', by: 'configuration' });
  const want = async (document: Sha256) => {
    const watched = catalog.current('watched', SPECIFICATION)?.key ?? sha256('');
    const bytes = encodeClosure({ watched, artifacts: [], basis: { [BOX]: document }, missing: [] });
    const { sha256: manifest } = await blobs.put(bytes, { maxBytes: bytes.length });
    record('wanted', SPECIFICATION, { role: 'install', manifest, artifacts: 0 });
  };
  const demands = async () => {
    const { jobs } = await sweep({ ecosystemOf: () => undefined, catalog, privateBlobs: blobs, publicBlobs: blobs });
    return jobs.filter(({ stage }) => stage === 'demand').map(({ id }) => id);
  };
  return { record, want, demands };
}

function observed(document: string): StateFact['body'] {
  return { document: sha256(document), sizeBytes: document.length, mediaType: 'text/plain', url: 'http://upstream.example/box' };
}
