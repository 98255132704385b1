import { decodeTrialReport, encodeClosure, type Installing, installTrial } from '@granary/contract/ecosystem';
import { manualClock, memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { FactSink, Sandbox, SandboxResult, SandboxRun } from '@granary/contract/ports';
import { type Artifact, encodeEntry, type Fact, formatPurl, sha256, TriedBody, toInstant, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type TryInstallPorts, tryInstall } from './try-install.ts';

const SPECIFICATION = 'app/tiny.lock';
const ROOTFS = sha256('root filesystem');
const release = (name: string) => toPurl(`pkg:tiny/${name}@1`);

it('records that nothing runs without making a root filesystem or starting a sandbox', async () => {
  const site = await openSite({ quiet: '' });

  await site.run();

  expect(await site.outcome()).toEqual({ status: 'self-sufficient', report: { type: 'nothing-runs' } });
  expect(site.runs).toEqual([]);
});

it('runs the client, then each package, and records whom they turned to and how they ended', async () => {
  const site = await openSite({ fine: 'runs', loads: 'runs', hangs: 'runs', quiet: '' });
  site.ends.push(
    { contacts: { seen: [], leftOut: 0 } },
    { end: { type: 'killed', by: 'timeout' } },
    { contacts: { seen: [{ host: 'files.example', port: 443, protocol: 'tcp' }], leftOut: 7 } },
    { end: { type: 'exited', code: 3 } },
  );

  await site.run();

  const exited = { type: 'exited', code: 0 };
  expect(await site.outcome()).toEqual({
    status: 'not-covered',
    report: {
      type: 'tried',
      rootfs: ROOTFS,
      contacts: [],
      beyond: [],
      packages: [
        { release: release('fine'), end: { type: 'killed', by: 'timeout' }, contacts: [], leftOut: 0 },
        { release: release('hangs'), end: exited, contacts: [{ host: 'files.example', port: 443, protocol: 'tcp' }], leftOut: 7 },
        { release: release('loads'), end: { type: 'exited', code: 3 }, contacts: [], leftOut: 0 },
      ],
    },
  });
  expect(site.runs[0]).toMatchObject({ rootfs: ROOTFS, recordsContacts: true, mirrorSocket: '/mirror.sock' });
  expect(site.runs[0]?.phases.map(({ name, argv, network, mayFail, timeoutMs }) => [name, argv[0], network, mayFail, timeoutMs])).toEqual([
    ['install', 'install', 'mirror', undefined, 720_000],
    ['script-1', release('fine'), 'mirror', true, 180_000],
    ['script-2', release('hangs'), 'mirror', true, 180_000],
    ['script-3', release('loads'), 'mirror', true, 180_000],
  ]);
});

it('is self-sufficient when all ended well and turned to nobody, and is not tried again', async () => {
  const site = await openSite({ fine: 'runs' });

  await site.run();
  await site.run();

  expect(await site.outcome()).toMatchObject({ status: 'self-sufficient', report: { type: 'tried', packages: [{ release: release('fine') }] } });
  expect(site.runs.length).toBe(1);
});

it('records that the ecosystem can not try it, and what runs code', async () => {
  const site = await openSite({ fine: 'runs' }, { plan: () => ({ type: 'not-tried', why: 'only of other locks' }) });

  await site.run();

  expect(await site.outcome()).toEqual({ status: 'not-tried', report: { type: 'not-tried', why: 'only of other locks', runsCode: [release('fine')] } });
});

it('runs eighty packages at most, each for half a minute then, and names the others', async () => {
  const site = await openSite(Object.fromEntries(Array.from({ length: 83 }, (_, index) => [`p${100 + index}`, 'runs'])));

  await site.run();

  const outcome = await site.outcome();
  expect(site.runs[0]?.phases.length).toBe(81);
  expect(site.runs[0]?.phases[1]?.timeoutMs).toBe(30_000);
  expect(outcome).toMatchObject({ status: 'not-covered', report: { beyond: ['p180', 'p181', 'p182'].map(release) } });
});

it.each([
  ['its client can not install it from the mirror', { end: { type: 'exited', code: 1 } }, 'later', 'npm error: 404'],
  ['the client itself runs out of time', { end: { type: 'killed', by: 'timeout' } }, 'later', 'from this mirror'],
  ['the sandbox is stopped', { end: { type: 'killed', by: 'abort' } }, 'at-once', 'the sandbox was stopped'],
] as const)('records nothing when %s', async (_, end, retry, message) => {
  const site = await openSite({ fine: 'runs' });
  site.ends.push(end);

  await expect(site.run()).rejects.toMatchObject({ retry, message: expect.stringContaining(message) });

  expect(await site.outcome()).toBeUndefined();
});

it('waits until everything is stored', async () => {
  const site = await openSite({ fine: 'runs' }, {}, { isStored: false });

  await expect(site.run()).rejects.toMatchObject({ retry: 'later' });
});

it('is another trial with another lock or other files, and the same with another index', async () => {
  const site = await openSite({ fine: 'runs' });
  const keyOf = (closure: Parameters<typeof installTrial>[2], watched = site.watched()) => installTrial(site.catalog, watched, closure, site.ecosystem)?.key;
  const first = keyOf(site.closure);

  expect(keyOf({ ...site.closure, basis: { 'pkg:tiny/fine': sha256('another index') } })).toBe(first);
  expect(keyOf({ ...site.closure, artifacts: [] })).toBeUndefined();
  site.record({ kind: 'watched', subject: SPECIFICATION, body: { state: 'active', by: 'command', content: sha256('another lock') }, prev: site.watched().key });
  expect(keyOf(site.closure)).not.toBe(first);
});

type Ending = Partial<SandboxResult['phases'][number]>;

/** A product of packages that run code at install, or don't, by what their files hold. */
async function openSite(packages: Readonly<Record<string, string>>, over: Partial<Installing> = {}, { isStored = true } = {}) {
  const [{ blobs }, catalog, clock] = [memoryStore(), memoryCatalog(), manualClock()];
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const put = async (text: string | Uint8Array) => (await blobs.put(typeof text === 'string' ? Buffer.from(text) : text, { maxBytes: 2 ** 20 })).sha256;
  record({ kind: 'watched', subject: SPECIFICATION, body: { state: 'active', by: 'command', content: await put('a lock') } });
  const watched = () => {
    const fact = catalog.current('watched', SPECIFICATION);
    if (fact === undefined) throw new Error('it is not watched');
    return fact;
  };
  const artifacts = await Promise.all(
    Object.entries(packages).map(async ([name, text]): Promise<Artifact> => {
      const purl = formatPurl({ type: 'tiny', name, version: '1', fileName: `${name}.box` });
      const digest = await put(`${name} ${text}`);
      if (isStored) record({ kind: 'stored', subject: purl, inputs: [digest], body: { sha256: digest, sizeBytes: 1, path: name, evidence: [] } });
      return { purl, fileName: `${name}.box`, digests: {}, path: name };
    }),
  );
  const closure = { watched: watched().key, artifacts, basis: {}, missing: [], repositories: [] };
  const manifest = await put(encodeClosure(closure));
  record({ kind: 'wanted', subject: SPECIFICATION, body: { role: 'install', manifest, artifacts: artifacts.length } });
  const installing: Installing = {
    engine: 1,
    toolset: () => undefined,
    runsCode: async (_, bytes) => Buffer.from(bytes).toString().endsWith(' runs'),
    plan: ({ runsCode }) => ({
      type: 'plan',
      plan: {
        files: [],
        install: { argv: ['install'], env: {} },
        scripts: [...runsCode].sort().map((name) => ({ release: name, command: { argv: [name], env: {} } })),
      },
    }),
    ...over,
  };
  const ecosystem = { id: 'tiny', installing };
  const runs: SandboxRun[] = [];
  const ends: Ending[] = [];
  const sink: FactSink = {
    async submit(facts) {
      for (const given of facts) record('leaf' in given ? given.fact : given);
    },
  };
  const ports: TryInstallPorts = {
    ecosystem,
    rootfs: async () => ROOTFS,
    sandbox: scripted(runs, ends),
    openMirror: async () => ({ path: '/mirror.sock', size: 0, fetched: () => [], close: async () => undefined }),
    publicBlobs: blobs,
    privateBlobs: blobs,
    catalog,
    sink,
    clock,
  };
  const outcome = async () => {
    const fact = catalog.current('tried', SPECIFICATION);
    if (fact === undefined) return undefined;
    const { status, report } = TriedBody.parse(fact.entry.body);
    return { status, report: decodeTrialReport((await blobs.read(report, 2 ** 20)) ?? new Uint8Array()) };
  };
  return { run: () => tryInstall(ports, SPECIFICATION), runs, ends, catalog, record, watched, closure, ecosystem, outcome };
}

/** Phases end as it is told, well where it is told nothing. */
function scripted(runs: SandboxRun[], ends: readonly Ending[]): Sandbox {
  return {
    async run(run) {
      runs.push(run);
      const phases = run.phases.map(({ name }, index) => ({
        name,
        end: { type: 'exited' as const, code: 0 },
        durationMs: 1,
        contacts: { seen: [], leftOut: 0 },
        ...ends[index],
      }));
      return { phases, outputs: [], refused: [], log: { text: 'npm error: 404\n', truncated: false } };
    },
  };
}
