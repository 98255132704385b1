import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cargo } from '@granary/ecosystem-cargo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopbackCrates, openLoopbackCrates } from '../upstream/loopback-crates.ts';
import { packageCrate, type SampleCrate } from '../upstream/sample-crates.ts';
import { type CargoHome, makeCargoHome, whyNoCargo } from './cargo-home.ts';
import { clientSuite, vanishedIn } from './client-suite.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { type RunningMirror, shownWithin, startMirror } from './running-mirror.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const SHOWN_WITHIN_MS = 60_000;
const AT_FIRST: readonly SampleCrate[] = [
  { name: 'wick', version: '1.0.0', publishedAt: '2023-03-01T10:00:00Z' },
  { name: 'wick', version: '1.1.0', publishedAt: '2024-06-01T10:00:00Z' },
  { name: 'lantern', version: '1.0.0', publishedAt: '2023-04-01T10:00:00Z', dependencies: { wick: '1' } },
  // Clients ask for it in lower case.
  { name: 'Ember', version: '1.0.0', publishedAt: '2023-05-01T10:00:00Z' },
  { name: 'Ember', version: '1.1.0', publishedAt: '2024-05-01T10:00:00Z' },
  { name: 'tallow', version: '0.9.0', publishedAt: '2023-06-01T10:00:00Z' },
  { name: 'tallow', version: '0.9.1', publishedAt: '2024-07-01T10:00:00Z' },
  { name: 'flint', version: '1.0.0', publishedAt: '2023-07-01T10:00:00Z' },
  // Nobody watches it.
  { name: 'spark', version: '1.0.0', publishedAt: '2023-08-01T10:00:00Z', dependencies: { lantern: '1' } },
];
const NO_VERDICT = /403 Granary policy verified refuses all \d+ files of cargo\/\w+ that are held: unsupported \(repository-not-mirrored\), see /;
const WATCH = ['lamp/Cargo.lock', 'pkg:cargo/wick@^1', 'pkg:cargo/wick@1.0.0', 'pkg:cargo/Ember@1.0.0', 'pkg:cargo/tallow@0.9.0'];

let folder = '';
let lamp = '';
let upstream: LoopbackCrates;
/** Who knows upstream alone. */
let owner: CargoHome;
let lockBefore = '';

const suite = clientSuite({ name: 'cargo', reason: whyNoIsland() ?? whyNoCargo(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  upstream = await openLoopbackCrates();
  opened.defer(() => upstream.close());
  owner = makeCargoHome(folder, upstream);
  for (const sample of AT_FIRST) upstream.publish(await packageCrate(join(folder, 'crates'), sample, owner));
  lamp = await writeProject('lamp', { lantern: '1', Ember: '1', tallow: '0.9', flint: '1' });
  const says = ['lantern', 'Ember', 'tallow', 'flint'].map((name) => `println!("{}", ${name}::SAYS);`);
  await writeFile(join(lamp, 'src/main.rs'), `fn main() { ${says.join(' ')} }\n`);
  succeeded(await owner.cargo(['generate-lockfile'], lamp), 'cargo generate-lockfile');
  lockBefore = await readFile(join(lamp, 'Cargo.lock'), 'utf8');
  const site = {
    watch: WATCH,
    upstreams: { cargo: { index: upstream.index } },
    pullThrough: { ecosystems: ['cargo'] },
    follow: { intervalSeconds: 2 },
    data: 'data',
  };
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify(site));
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror of crates whose upstream moves on'), () => {
  let running: RunningMirror;
  let address = '';
  let before = '';
  beforeAll(async () => {
    running = await startMirror(join(folder, 'granary.yaml'));
    ({ address, before } = running);
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'shows a new release, a yank, a deletion and other bytes under a known name, and keeps what it had',
    async () => {
      const [next, other] = [
        { name: 'wick', version: '1.2.0', publishedAt: `${new Date().toISOString().slice(0, 19)}Z` },
        { name: 'flint', version: '1.0.0', publishedAt: '2023-07-01T10:00:00Z', says: 'something else' },
      ];
      for (const sample of [next, other]) upstream.publish(await packageCrate(join(folder, 'crates'), sample, owner));
      upstream.yank('Ember', '1.1.0');
      upstream.remove('tallow', '0.9.1');

      const expected = { wick: false, ember: true, tallow: true, flint: true };

      expect(await shownWithin(SHOWN_WITHIN_MS, shown, expected)).toEqual(expected);
    },
    SHOWN_WITHIN_MS + TEST_MS,
  );

  it(
    'resolves as the registry does now, without a lock',
    async () => {
      const lock = await lockThrough(`${address}/cargo/`);

      expect(versionsIn(lock)).toEqual(['Ember 1.0.0', 'lantern 1.0.0', 'tallow 0.9.0', 'wick 1.2.0']);
    },
    TEST_MS,
  );

  it(
    'resolves as the registry did then in views as of then: a moment ago, and in 2023',
    async () => {
      expect(versionsIn(await lockThrough(`${address}/as-of/${before}/cargo/`, lamp))).toEqual(versionsIn(lockBefore));
      expect(versionsIn(lockBefore)).toEqual(['Ember 1.1.0', 'flint 1.0.0', 'lantern 1.0.0', 'tallow 0.9.1', 'wick 1.1.0']);
      expect(versionsIn(await lockThrough(`${address}/as-of/2023-12-31T00:00:00Z/cargo/`, lamp))).toEqual([
        'Ember 1.0.0',
        'flint 1.0.0',
        'lantern 1.0.0',
        'tallow 0.9.0',
        'wick 1.0.0',
      ]);
    },
    TEST_MS,
  );

  it('has no crate in a view as of a time before it, by its own address either', async () => {
    const crate = await fetch(`${address}/as-of/2023-12-31T00:00:00Z/cargo/crates/wick/wick-1.1.0.crate`);

    expect([crate.status, await crate.text()]).toEqual([403, expect.stringContaining('it was not there then')]);
  });

  it(
    'makes the same locks as upstream, and takes those that upstream made',
    async () => {
      const loose = await looseProject();
      const [here, there] = [makeCargoHome(folder, { index: `${address}/cargo/` }), makeCargoHome(folder, upstream)];
      const [ours, theirs] = [here.take(loose), there.take(loose)];
      succeeded(await here.cargo(['generate-lockfile'], ours), 'cargo generate-lockfile through the mirror');
      succeeded(await there.cargo(['generate-lockfile'], theirs), 'cargo generate-lockfile upstream');

      expect(await readFile(join(ours, 'Cargo.lock'), 'utf8')).toBe(await readFile(join(theirs, 'Cargo.lock'), 'utf8'));
      succeeded(await here.cargo(['fetch', '--locked'], theirs), 'cargo fetch --locked of the lock made upstream');
      succeeded(await there.cargo(['fetch', '--locked'], ours), 'cargo fetch --locked of the lock made through the mirror');
    },
    TEST_MS,
  );

  it(
    'fetches through the view that pulls what nobody watched',
    async () => {
      const needs = { spark: '1' };
      const [pulling, other] = [makeCargoHome(folder, { index: `${address}/pull/cargo/` }), makeCargoHome(folder, { index: `${address}/cargo/` })];
      const [project, refused] = [pulling.take(await writeProject('pulled', needs)), other.take(await writeProject('refused', needs))];

      const before = await other.cargo(['fetch'], refused);
      succeeded(await pulling.cargo(['fetch'], project), 'cargo fetch through pull');
      succeeded(await other.cargo(['fetch'], refused), 'cargo fetch of what was pulled');

      expect([before.code, before.said]).toEqual([101, expect.stringContaining('no matching package named `spark` found')]);
    },
    TEST_MS,
  );

  /** Whether the mirror's index has the version yanked; undefined when it doesn't list it. */
  async function shown(): Promise<Record<string, boolean | undefined>> {
    return {
      wick: await standing('wi/ck/wick', '1.2.0'),
      ember: await standing('em/be/ember', '1.1.0'),
      tallow: await standing('ta/ll/tallow', '0.9.1'),
      flint: await standing('fl/in/flint', '1.0.0'),
    };
  }

  async function standing(path: string, version: string): Promise<boolean | undefined> {
    const file = await (await fetch(`${address}/cargo/${path}`)).text();
    const lines = file.split('\n').filter((line) => line !== '');
    return lines.map((line): { vers: string; yanked: boolean } => JSON.parse(line)).find(({ vers }) => vers === version)?.yanked;
  }
});

describe.skipIf(suite.isSkipped)(suite.title('with every upstream unreachable, on empty caches'), () => {
  let island: Island;
  let askedBefore = 0;
  beforeAll(async () => {
    askedBefore = upstream.requests.length;
    island = await openIsland(join(folder, 'data'));
  }, SET_UP_MS);
  afterAll(async () => island?.[Symbol.asyncDispose]());

  it(
    'cargo builds a project from its lock, which names what upstream yanked, deleted and replaced since',
    async () => {
      const home = makeCargoHome(folder, { index: `${island.address}/cargo/`, runner: island.run });
      const project = home.take(lamp);

      succeeded(await home.cargo(['fetch', '--locked'], project), 'cargo fetch --locked');
      succeeded(await home.cargo(['build', '--locked', '--offline'], project), 'cargo build --locked');

      expect(execFileSync(join(project, 'target/debug/lamp'), { encoding: 'utf8' })).toBe('lantern 1.0.0\nEmber 1.1.0\ntallow 0.9.1\nflint 1.0.0\n');
      expect(await readFile(join(project, 'Cargo.lock'), 'utf8')).toBe(lockBefore);
      expect((await readdir(home.cache, { recursive: true })).filter((name) => name.endsWith('.crate'))).toHaveLength(5);
    },
    TEST_MS,
  );

  it(
    'cargo resolves a project without a lock, and what is not held is named',
    async () => {
      const home = makeCargoHome(folder, { index: `${island.address}/cargo/`, runner: island.run });
      const project = home.take(await looseProject());

      succeeded(await home.cargo(['fetch'], project), 'cargo fetch');
      const { code, said } = await home.cargo(['add', 'unknown-crate'], project);

      expect([code, said]).toEqual([101, expect.stringContaining('unknown-crate')]);
    },
    TEST_MS,
  );

  it(
    'cargo does with either of the settings that doctor names',
    async () => {
      const hints = cargo.views.clientHints(island.address).map((line) => line.trim());
      const settings = hints.filter((line) => /^(\[|[a-z-]+ = )/.test(line));
      const [command = ''] = hints.flatMap((line) => line.split('or for one command: ').slice(1));
      const home = makeCargoHome(folder, { runner: island.run });
      const [byFile, byCommand] = [home.take(lamp), home.take(lamp)];
      await mkdir(join(byFile, '.cargo'));
      await writeFile(join(byFile, '.cargo/config.toml'), settings.join('\n'));

      succeeded(await home.cargo(['fetch', '--locked'], byFile), settings.join('; '));
      await rm(home.cache, { recursive: true });
      succeeded(await home.shell(command, byCommand), command);

      expect((await readdir(home.cache, { recursive: true })).filter((name) => name.endsWith('.crate'))).toHaveLength(5);
    },
    TEST_MS,
  );

  it(
    'cargo is told why verified has nothing of crates whose repositories nobody mirrors',
    async () => {
      const home = makeCargoHome(folder, { index: `${island.address}/verified/cargo/`, runner: island.run });

      const { code, said } = await home.cargo(['fetch'], home.take(await looseProject()));

      expect([code, said]).toEqual([101, expect.stringMatching(NO_VERDICT)]);
    },
    TEST_MS,
  );

  it('nobody reached the upstream, which runs on outside', () => {
    expect(upstream.requests.length).toBe(askedBefore);
  });
});

it.skipIf(suite.isSkipped)(suite.title('the ledger says what upstream did'), () => {
  const vanished = vanishedIn(join(folder, 'data')).map((line) => line.replace(/\?\S*/, ''));

  expect(vanished).toEqual(['pkg:cargo/flint@1.0.0 replaced', 'pkg:cargo/tallow@0.9.1 gone']);
});

/** Asks for what is newest of all that upstream has not spoilt. */
async function looseProject(): Promise<string> {
  return await writeProject('loose', { lantern: '1', Ember: '1', tallow: '0.9' });
}

async function writeProject(name: string, requirements: Readonly<Record<string, string>>): Promise<string> {
  const project = join(folder, name);
  await mkdir(join(project, 'src'), { recursive: true });
  const needs = Object.entries(requirements).map(([crate, requirement]) => `${crate} = "${requirement}"\n`);
  await writeFile(join(project, 'Cargo.toml'), `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n${needs.join('')}`);
  await writeFile(join(project, 'src/main.rs'), 'fn main() {}\n');
  return project;
}

/** A lock that cargo makes now, from nothing. */
async function lockThrough(index: string, of?: string): Promise<string> {
  const home = makeCargoHome(folder, { index });
  const project = home.take(of ?? (await looseProject()));
  await rm(join(project, 'Cargo.lock'), { force: true });
  succeeded(await home.cargo(['generate-lockfile'], project), `cargo generate-lockfile through ${index}`);
  return await readFile(join(project, 'Cargo.lock'), 'utf8');
}

function versionsIn(lock: string): readonly string[] {
  return [...lock.matchAll(/name = "([^"]+)"\nversion = "([^"]+)"\nsource/g)].map(([, name, version]) => `${name} ${version}`);
}
