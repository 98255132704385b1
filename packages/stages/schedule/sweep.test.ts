import { encodeClosure, type Installing, installTrial } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { Stage } from '@granary/contract/ports';
import { attestedInputs, SUMMARY_TYPE } from '@granary/core/bundle';
import { type Artifact, encodeEntry, type Fact, factKey, formatPurl, type Sha256, type StateFact, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { sweep } from './sweep.ts';

const POLICY = sha256('policy');
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

it('attests what is held, though upstream lists other bytes under its name by now, and again under another policy', async () => {
  const { add, record, want, jobsOf } = await openTestSite();
  const purl = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.whl' });
  const [old, replacement, judged] = [sha256('old'), sha256('replacement'), sha256('judged')];
  record('observed', BOX, observed('one'));
  await want(sha256('one'), [{ purl, fileName: 'box-1.0.whl', digests: { sha256: replacement }, sizeBytes: 1, path: 'box-1.0.whl' }]);
  add({ kind: 'stored', subject: purl, inputs: [old], body: { sha256: old, sizeBytes: 1, path: 'box-1.0.whl', evidence: [] } });
  const judgement: Fact = { kind: 'verdict', subject: purl, inputs: [judged], body: { sha256: old, verdict: 'reproduced' } };
  add(judgement);

  const before = await jobsOf('attest');
  const body = { sha256: old, predicateType: SUMMARY_TYPE, envelope: old, payload: old, leaf: old, keyId: 'key' };
  add({ kind: 'attested', subject: purl, inputs: attestedInputs(factKey(judgement), SUMMARY_TYPE, POLICY), body });
  const underAnother = await jobsOf('attest', sha256('another policy'));

  expect([before.length, await jobsOf('attest'), underAnother.length]).toEqual([1, [], 1]);
});

it('fetches no more of a product once what came is above its quota', async () => {
  const { add, record, want, jobsOf } = await openTestSite();
  const fileOf = (name: string): Artifact => ({
    purl: formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: name }),
    fileName: name,
    digests: { sha256: sha256(name) },
    path: name,
  });
  record('observed', BOX, observed('one'));
  record('watched', SPECIFICATION, { state: 'active', by: 'command', quotaBytes: 100 });
  await want(sha256('one'), [fileOf('first.whl'), fileOf('second.whl')]);
  const before = await jobsOf('sync');

  const body = { sha256: sha256('first.whl'), sizeBytes: 101, path: 'first.whl', evidence: [] };
  add({ kind: 'stored', subject: fileOf('first.whl').purl, inputs: [sha256('first.whl')], body });

  expect([before.length, await jobsOf('sync')]).toEqual([2, []]);
});

it('leaves alone what was only requested', async () => {
  const { record, want, demands } = await openTestSite();
  record('watched', SPECIFICATION, { state: 'requested', by: 'command' });
  await want(sha256('one'));

  expect(await demands()).toEqual([]);
});

it('tries an install once all of a product is stored, and again when other files make it up', async () => {
  const installing: Installing = { engine: 1, toolset: () => undefined, runsCode: async () => true, plan: () => ({ type: 'not-tried', why: '' }) };
  const { add, catalog, blobs, want } = await openTestSite();
  const fileOf = (name: string): Artifact => ({
    purl: formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: name }),
    fileName: name,
    digests: {},
    path: name,
  });
  const store = (name: string) =>
    add({ kind: 'stored', subject: fileOf(name).purl, inputs: [name], body: { sha256: sha256(name), sizeBytes: 1, path: name, evidence: [] } });
  const trials = async (id = 'tiny') => {
    const ecosystemOf = (type: string) => (type === id ? { id, installing } : undefined);
    const { jobs } = await sweep({ ecosystemOf, catalog, privateBlobs: blobs, publicBlobs: blobs, policy: POLICY, repositories: 'watched' });
    return jobs.filter(({ stage }) => stage === 'rebuild');
  };
  await want(sha256('one'), [fileOf('first.box'), fileOf('second.box')]);
  store('first.box');
  const before = await trials();

  store('second.box');
  const [trial, ofNobody] = [await trials(), await trials('other')];
  const watched = catalog.current('watched', SPECIFICATION);
  const closure = { watched: watched?.key ?? sha256(''), artifacts: [fileOf('first.box'), fileOf('second.box')], basis: {}, missing: [], repositories: [] };
  const inputs = watched === undefined ? [] : (installTrial(catalog, watched, closure, { id: 'tiny', installing })?.inputs ?? []);
  add({ kind: 'tried', subject: SPECIFICATION, inputs, body: { ecosystem: 'tiny', status: 'self-sufficient', report: sha256('report') } });
  const afterwards = await trials();
  await want(sha256('two'), [fileOf('second.box')]);

  expect([before, ofNobody, afterwards]).toEqual([[], [], []]);
  expect(trial).toMatchObject([
    { label: `install of ${SPECIFICATION}`, urgency: 'whenever', payload: { type: 'try', specification: SPECIFICATION, ecosystem: 'tiny' } },
  ]);
  expect((await trials()).map(({ id }) => id)).not.toEqual(trial.map(({ id }) => id));
  expect((await trials()).length).toBe(1);
});

async function openTestSite() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const record = (kind: StateFact['kind'], subject: string, body: StateFact['body']) => {
    const before = catalog.current(kind, subject);
    add({ kind, subject, body, ...(before === undefined ? {} : { prev: before.key }) });
  };
  record('watched', SPECIFICATION, { state: 'active', by: 'configuration' });
  const want = async (document: Sha256, artifacts: readonly Artifact[] = []) => {
    const watched = catalog.current('watched', SPECIFICATION)?.key ?? sha256('');
    const bytes = encodeClosure({ watched, artifacts, basis: { [BOX]: document }, missing: [], repositories: [] });
    const { sha256: manifest } = await blobs.put(bytes, { maxBytes: bytes.length });
    record('wanted', SPECIFICATION, { role: 'install', manifest, artifacts: artifacts.length });
  };
  const jobsOf = async (wanted: Stage, policy = POLICY) => {
    const { jobs } = await sweep({ ecosystemOf: () => undefined, catalog, privateBlobs: blobs, publicBlobs: blobs, policy, repositories: 'watched' });
    return jobs.filter(({ stage }) => stage === wanted).map(({ id }) => id);
  };
  return { add, record, catalog, blobs, want, jobsOf, demands: () => jobsOf('demand') };
}

function observed(document: string): StateFact['body'] {
  return { document: sha256(document), sizeBytes: document.length, mediaType: 'text/plain', url: 'http://upstream.example/box' };
}
