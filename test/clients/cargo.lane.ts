import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CargoHome, makeCargoHome, whyNoCargo } from './cargo-home.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { mustRun, type Ran } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'granary-crates-'));
const data = join(folder, 'data');
const config = join(folder, 'granary.yaml');
const service = join(folder, 'rust-service');
/** What a range on the watch list must do for a project that nobody locked. */
const UNLOCKED = 'axum = { version = "0.8", features = ["http2", "macros", "multipart", "ws"] }\ntokio = { version = "1", features = ["full"] }\n';
/** The newest of its kind then, and one of today beside it. */
const THEN = { time: '2023-01-15T00:00:00Z', crate: 'itoa', version: '1.0.5' };
const WATCH = ['rust-service/Cargo.lock', 'pkg:cargo/axum@^0.8', 'pkg:cargo/tokio@^1', `pkg:cargo/${THEN.crate}@${THEN.version}`, `pkg:cargo/${THEN.crate}@^1`];

let island: Island;
let lockedUpstream = '';

beforeAll(async () => {
  const reason = whyNoIsland() ?? whyNoCargo();
  if (reason !== undefined) throw new Error(reason);
  cpSync(join(import.meta.dirname, 'rust-service'), service, { recursive: true });
  mkdirSync(join(service, 'src'));
  writeFileSync(join(service, 'src/main.rs'), 'fn main() {}\n');
  // The user's own cargo, with the user's own settings.
  report('cargo generate-lockfile, upstream', await mustRun(['cargo', 'generate-lockfile'], { cwd: service }));
  lockedUpstream = lockIn(service);
  writeFileSync(config, JSON.stringify({ watch: WATCH, listen: '127.0.0.1:0', data: 'data' }));
  report('up --once, cold', await mustRun(granaryArgv('up', '--once', '--json', '--config', config), { env: granaryEnvironment() }));
  island = await openIsland(data);
}, 1_800_000);
afterAll(async () => {
  await island?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('with the true registry unreachable, on empty caches', () => {
  it('cargo fetch --locked installs the locked project, as it was locked upstream', async () => {
    const home = homeOn('cargo');
    const project = home.take(service);

    installs(await home.cargo(['fetch', '--locked'], project), 'cargo fetch --locked');

    const locked = lockedUpstream.match(/^checksum = /gm) ?? [];
    expect(locked.length).toBeGreaterThanOrEqual(200);
    expect(cratesOf(home).length).toBe(locked.length);
    console.log(`${locked.length} crates`);
  });

  it('a lock made through the mirror is the one made upstream', async () => {
    const home = homeOn('cargo');
    const project = home.take(service);
    rmSync(join(project, 'Cargo.lock'));

    installs(await home.cargo(['generate-lockfile'], project), 'cargo generate-lockfile');

    expect(lockIn(project)).toBe(lockedUpstream);
  });

  it('a project without a lock installs what ranges on the watch list come to', async () => {
    const home = homeOn('cargo');
    const project = writeProject('unlocked', UNLOCKED);

    installs(await home.cargo(['fetch'], project), 'cargo fetch, unlocked');

    expect(cratesOf(home)).toContainEqual(expect.stringMatching(/^axum-0\.8\./));
  });

  it('a view as of 2023 resolves to what was newest then', async () => {
    const [now, then] = [homeOn('cargo'), homeOn(`as-of/${THEN.time}/cargo`)];
    const project = writeProject('dated', `${THEN.crate} = "1"\n`);
    const [ofNow, ofThen] = [now.take(project), then.take(project)];

    installs(await now.cargo(['generate-lockfile'], ofNow), 'cargo generate-lockfile, now');
    installs(await then.cargo(['generate-lockfile'], ofThen), `cargo generate-lockfile, ${THEN.time}`);

    expect(lockIn(ofThen)).toContain(`version = "${THEN.version}"`);
    expect(lockIn(ofNow)).not.toContain(`version = "${THEN.version}"`);
  });

  it('nothing but the mirror is there', async () => {
    expect((await island.run(['cat', '/proc/net/dev'])).said.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
  });
});

function homeOn(path: string): CargoHome {
  return makeCargoHome(folder, { index: `${island.address}/${path}/`, runner: island.run });
}

function writeProject(name: string, needs: string): string {
  const project = join(folder, name);
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(project, 'src/lib.rs'), '');
  writeFileSync(join(project, 'Cargo.toml'), `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n${needs}[workspace]\n`);
  return project;
}

function cratesOf({ cache }: CargoHome): readonly string[] {
  return readdirSync(cache).flatMap((registry) => readdirSync(join(cache, registry)));
}

function lockIn(project: string): string {
  return readFileSync(join(project, 'Cargo.lock'), 'utf8');
}

function installs(ran: Ran, what: string): void {
  succeeded(ran, what);
  report(what, ran);
}

function report(what: string, { seconds }: { readonly seconds: number }): void {
  console.log(`${what}: ${seconds.toFixed(1)} s`);
}
