import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { toPurl, VerdictBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoCargo } from '../clients/cargo-home.ts';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { mustRun, run } from '../clients/run.ts';
import { report, timed } from '../report.ts';
import { packageCrate } from '../upstream/sample-crates.ts';
import { altered, type CargoSourceSite, type Files, openCargoSourceSite } from './cargo-source-site.ts';

const SET_UP_MS = 3_000_000;
const folder = mkdtempSync(join(tmpdir(), 'granary-cargo-from-git-'));
const CRATES = ['lantern', 'paraffin', 'unversioned', 'uncommitted', 'stale', 'added', 'changed', 'manifest', 'claims-another'];
const PUBLISHED = '2025-01-01T00:00:00Z';
let site: CargoSourceSite;

function manifest(name: string, { repository = name, more = '' } = {}): string {
  return `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\nlicense = "EUPL-1.2"\ndescription = "A sample"\nrepository = "https://forge.example/owner/${repository}"\n${more}`;
}
const NEEDS = '[dependencies]\nwick = "1"\n';
const CODE: Files = {
  'src/lib.rs': 'pub const LIGHT: u32 = 2;\n',
  'README.md': '# Light\n',
  LICENSE: 'EUPL\n',
  '.gitignore': 'target\nCargo.lock\n',
  '.github/checks.yml': 'on: push\n',
  // What a checkout would change, and a repository hasn't.
  '.gitattributes': '*.txt text eol=crlf\n*.md ident\n',
  'data/table.txt': 'one\ntwo\n',
};
const about = (name: string) => ({ name, version: '1.0.0', publishedAt: PUBLISHED });

async function makeHonest(): Promise<void> {
  const lantern = await site.commit('lantern', { ...CODE, 'Cargo.toml': manifest('lantern', { more: NEEDS }) });
  site.upstream.publish(await site.pack(lantern, about('lantern')));
  const house = await site.commit(
    'house',
    {
      'Cargo.toml': '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n[workspace.package]\nversion = "1.0.0"\n[workspace.dependencies]\nwick = "1"\n',
      'README.md': '# House\n',
      'crates/paraffin/Cargo.toml': manifest('paraffin', {
        repository: 'house',
        more: 'readme = "../../README.md"\n[dependencies]\nwick.workspace = true\n',
      }).replace('version = "1.0.0"', 'version.workspace = true'),
      'crates/paraffin/src/main.rs': 'fn main() {}\n',
      'crates/jar/Cargo.toml': manifest('jar', { repository: 'house', more: '[dependencies]\noil = { path = "../paraffin" }\n' }),
      'crates/jar/src/lib.rs': '\n',
    },
    'paraffin-v1.0.0',
  );
  site.upstream.publish(await site.pack(join(house, 'crates/paraffin'), about('paraffin')));
}

/** Packed where cargo saw no repository, or one without a commit. */
async function makeWithoutCommit(): Promise<void> {
  for (const name of ['unversioned', 'uncommitted']) {
    const work = await site.commit(name, { ...CODE, 'Cargo.toml': manifest(name, { more: NEEDS }) });
    const elsewhere = join(folder, 'elsewhere', name);
    cpSync(work, elsewhere, { recursive: true, filter: (path) => basename(path) !== '.git' });
    if (name === 'uncommitted') execFileSync('git', ['init', '--quiet', '--initial-branch=master'], { cwd: elsewhere });
    if (name === 'uncommitted') execFileSync('git', ['add', '--all'], { cwd: elsewhere });
    site.upstream.publish(await site.pack(elsewhere, about(name)));
  }
}

/** What its publisher's own lock said, which nobody else has. */
async function makeStale(): Promise<void> {
  const stale = await site.commit('stale', { ...CODE, 'Cargo.toml': manifest('stale', { more: NEEDS }) });
  await site.owner.cargo(['update', '--package', 'wick', '--precise', '1.0.0'], stale);
  site.upstream.publish(await site.pack(stale, about('stale')));
}

async function makePlanted(): Promise<void> {
  const plant = async (name: string, change: (unpacked: string, work: string) => void): Promise<void> => {
    const work = await site.commit(name, { ...CODE, 'Cargo.toml': manifest(name, { more: NEEDS }) });
    site.upstream.publish(altered(folder, await site.pack(work, about(name)), (unpacked) => change(unpacked, work)));
  };
  const edit = (path: string, change: (text: string) => string) => writeFileSync(path, change(readFileSync(path, 'utf8')));
  await plant('added', (unpacked) => writeFileSync(join(unpacked, 'build.rs'), 'fn main() {}\n'));
  await plant('changed', (unpacked) => edit(join(unpacked, 'src/lib.rs'), (text) => text.replace('2', '3')));
  // No file of the commit differs: only what cargo wrote.
  await plant('manifest', (unpacked) => edit(join(unpacked, 'Cargo.toml'), (text) => `${text}\n[dependencies.spark]\nversion = "1"\n`));
  await plant('claims-another', (unpacked, work) => {
    const [own, other] = execFileSync('git', ['rev-parse', 'HEAD', 'HEAD~1'], { cwd: work, encoding: 'utf8' }).trim().split('\n');
    edit(join(unpacked, '.cargo_vcs_info.json'), (text) => text.replace(own ?? '', other ?? ''));
  });
}

beforeAll(async () => {
  const reason = whyNoCargo();
  if (reason !== undefined) throw new Error(reason);
  site = await openCargoSourceSite(
    folder,
    CRATES.map((name) => `pkg:cargo/${name}@1.0.0`),
  );
  const wick = async (version: string, publishedAt: string) =>
    site.upstream.publish(await packageCrate(join(folder, 'crates'), { name: 'wick', version, publishedAt }, site.owner));
  await wick('1.0.0', '2024-01-01T00:00:00Z');
  await wick('1.1.0', '2024-06-01T00:00:00Z');
  await makeHonest();
  await makeWithoutCommit();
  await makeStale();
  await makePlanted();
  // Nobody who packed before could know of it, nor that the one before would be yanked.
  await wick('1.2.0', '2025-06-01T00:00:00Z');
  site.upstream.yank('wick', '1.1.0');
  const { said } = await timed('up --once', () =>
    mustRun(granaryArgv('up', '--once', '--json', '--listen', '127.0.0.1:0', '--config', site.configFile), { env: granaryEnvironment() }),
  );
  report(said.slice(-3000));
}, SET_UP_MS);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function verdictOf(name: string): VerdictBody {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  const fact = catalog.current('verdict', toPurl(`pkg:cargo/${name}@1.0.0?file_name=${name}-1.0.0.crate`));
  if (fact === undefined) throw new Error(`${name} has no verdict`);
  return VerdictBody.parse(fact.entry.body);
}
const why = async (name: string) => (await run(granaryArgv('why', `pkg:cargo/${name}@1.0.0`, '--config', site.configFile), { env: granaryEnvironment() })).said;

describe('a crate whose files are those of a commit', () => {
  it.each(['lantern', 'paraffin', 'unversioned', 'uncommitted'])(
    'is reproduced when it is packed again, with the dependencies of its day: %s',
    async (name) => {
      const verdict = verdictOf(name);

      expect(verdict, await why(name)).toMatchObject({ verdict: expect.stringMatching(/^reproduced(-normalized)?$/), tier: 'commit-tagged' });
      expect(verdict.findings).toBeUndefined();
      expect(await why(name)).not.toContain('SECURITY');
    },
  );

  it('is reproduced with its own lock where its publisher had one that nobody else has, and that is said', async () => {
    expect(verdictOf('stale'), await why('stale')).toMatchObject({ verdict: 'reproduced-assisted', rung: 'assisted' });
  });
});

describe('a crate that is not what its commit says', () => {
  it.each([
    ['added', 'extra-upstream-files', ['commit-lacks-files']],
    ['changed', 'content-unexplained', ['commit-lacks-files']],
    ['manifest', 'content-unexplained', ['commit-lacks-files']],
    ['claims-another', 'build-metadata', ['claimed-commit-differs']],
  ])('is marked: %s', async (name, cause, findings) => {
    expect(verdictOf(name), await why(name)).toMatchObject({ verdict: 'not-reproduced', cause, findings });
    expect(await why(name)).toContain(`SECURITY  ${findings[0]}`);
  });
});
