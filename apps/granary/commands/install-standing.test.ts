import { type Closure, encodeTrialReport, type Installing, installTrial, type TrialReport } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeEntry, type Fact, formatPurl, sha256, toInstant, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { readInstalls } from './install-standing.ts';

const SPECIFICATION = 'app/tiny.lock';
const installing: Installing = { engine: 1, toolset: () => undefined, runsCode: async () => true, plan: () => ({ type: 'not-tried', why: '' }) };
const TINY = { id: 'tiny', installing };
const release = (name: string) => toPurl(`pkg:tiny/${name}@1.0.0`);
const exited = (code: number) => ({ type: 'exited', code }) as const;
const contact = (host: string, port?: number) => ({ host, protocol: 'tcp' as const, ...(port === undefined ? {} : { port }) });
const tried = (over: object): TrialReport => ({ type: 'tried', rootfs: sha256('rootfs'), contacts: [], packages: [], beyond: [], ...over });

it('says of whom each package downloads, and what comes of it without', async () => {
  const packages = [
    { release: release('fine'), end: exited(0), contacts: [], leftOut: 0 },
    {
      release: release('quiet'),
      end: exited(0),
      contacts: [contact('files.example', 443), contact('files.example', 80), contact('2001:db8::7', 8443)],
      leftOut: 0,
    },
    { release: release('loud'), end: exited(1), contacts: [contact('other.example')], leftOut: 2 },
    { release: release('broken'), end: exited(7), contacts: [], leftOut: 0 },
    { release: release('endless'), end: { type: 'killed', by: 'timeout' } as const, contacts: [], leftOut: 0 },
  ];

  const [standing] = await standingOf(tried({ packages, contacts: [contact('git.example', 22)], beyond: [release('last')] }));

  expect(standing?.state).toBe('not-covered');
  expect(standing?.why).toEqual([
    'not covered: downloads by the client itself from git.example:22',
    'not covered: downloads of pkg:tiny/quiet@1.0.0 from files.example',
    'not covered: downloads of pkg:tiny/quiet@1.0.0 from [2001:db8::7]:8443',
    'not covered: downloads of pkg:tiny/loud@1.0.0 from other.example, without which its install script fails (exit 1)',
    'not covered: downloads of pkg:tiny/loud@1.0.0 from 2 other places',
    'not covered: the install script of pkg:tiny/broken@1.0.0 fails (exit 7)',
    'not covered: the install script of pkg:tiny/endless@1.0.0 does not end',
    'unchecked: more packages run code at install than are tried: pkg:tiny/last@1.0.0',
  ]);
  expect(standing?.failed).toEqual(['loud', 'broken', 'endless'].map(release));
  expect(standing?.downloads[3]).toEqual({ release: release('loud'), host: 'other.example', port: null });
});

it('has nothing to say of what needs nobody else', async () => {
  const packages = [{ release: release('fine'), end: exited(0), contacts: [], leftOut: 0 }];

  expect(await standingOf(tried({ packages }))).toMatchObject([{ ecosystem: 'tiny', state: 'self-sufficient', why: [] }]);
  expect(await standingOf({ type: 'nothing-runs' })).toMatchObject([{ state: 'self-sufficient', why: [] }]);
});

it('says that it is unchecked, and why', async () => {
  const notTried: TrialReport = { type: 'not-tried', why: 'installs are tried of other locks', runsCode: [release('a'), release('b')] };

  expect(await standingOf(undefined)).toMatchObject([{ state: 'unchecked', why: ['unchecked: installing it was not tried yet'] }]);
  expect(await standingOf(undefined, 'no sandbox here')).toMatchObject([{ why: ['unchecked: installing it was not tried yet: no sandbox here'] }]);
  expect(await standingOf(notTried)).toMatchObject([
    {
      state: 'unchecked',
      why: ['unchecked: installs are tried of other locks, and 2 of its packages run code at install: pkg:tiny/a@1.0.0, pkg:tiny/b@1.0.0'],
    },
  ]);
});

it('lists ten packages and counts the others', async () => {
  const runsCode = Array.from({ length: 12 }, (_, index) => release(`p${index}`));

  const [standing] = await standingOf({ type: 'not-tried', why: 'why', runsCode });

  expect(standing?.why[0]).toMatch(/12 of its packages run code at install: .*p9@1\.0\.0 and 2 more$/);
});

it('is nothing to ecosystems whose packages run nothing', async () => {
  expect(await standingOf(undefined, undefined, { ...TINY, id: 'other' })).toEqual([]);
});

async function standingOf(report: TrialReport | undefined, failure?: string, ecosystem = TINY) {
  const [{ blobs }, catalog] = [memoryStore(), memoryCatalog()];
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const purl = formatPurl({ type: 'tiny', name: 'fine', version: '1.0.0', fileName: 'fine-1.0.0.tgz' });
  record({ kind: 'watched', subject: SPECIFICATION, body: { state: 'active', by: 'command' } });
  record({ kind: 'stored', subject: purl, inputs: ['x'], body: { sha256: sha256('fine'), sizeBytes: 1, path: 'fine', evidence: [] } });
  const watched = catalog.current('watched', SPECIFICATION);
  if (watched === undefined) throw new Error('it is not watched');
  const closure: Closure = {
    watched: watched.key,
    artifacts: [{ purl, fileName: 'fine-1.0.0.tgz', digests: {}, path: 'fine' }],
    basis: {},
    missing: [],
    repositories: [],
  };
  const trial = installTrial(catalog, watched, closure, TINY);
  if (report !== undefined && trial !== undefined) {
    const bytes = encodeTrialReport(report);
    const { sha256: digest } = await blobs.put(bytes, { maxBytes: bytes.length });
    record({ kind: 'tried', subject: SPECIFICATION, inputs: trial.inputs, body: { ecosystem: 'tiny', status: 'not-covered', report: digest } });
  }
  return await readInstalls({ catalog, privateBlobs: blobs, ecosystems: [ecosystem], failure }, watched, closure);
}
