import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { golang } from '@granary/ecosystem-golang';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GoHome, makeGoHome, whyNoGo } from './go-home.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { mustRun, type Ran } from './run.ts';

/** A manifest, which its owner's client locks. */
const PRODUCT = join(import.meta.dirname, 'cluster-operator');
const TOOLCHAIN = 'go1.23.4';
const MODULE = 'golang.org/x/mod@v0.17.0';
const folder = mkdtempSync(join(tmpdir(), 'granary-golang-'));
const config = join(folder, 'granary.yaml');

let island: Island;
let product = '';
let sum = '';

beforeAll(async () => {
  const reason = whyNoIsland() ?? whyNoGo();
  if (reason !== undefined) throw new Error(reason);
  const { index = '' } = golang.discovery.parse((await mustRun(golang.discovery.argv)).said) ?? {};
  const owner = makeGoHome(folder, { proxy: index });
  product = owner.take(PRODUCT);
  does(await owner.go(['mod', 'tidy'], product), 'go mod tidy, upstream');
  sum = readFileSync(join(product, 'go.sum'), 'utf8');
  const toolchain = `pkg:golang/golang.org/toolchain@v0.0.1-${TOOLCHAIN}.linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
  writeFileSync(config, JSON.stringify({ watch: [join(product, 'go.sum'), `pkg:golang/${MODULE}`, toolchain], data: 'data' }));
  report('up --once, cold', await mustRun(granaryArgv('up', '--once', '--json', '--config', config), { env: granaryEnvironment() }));
  island = await openIsland(join(folder, 'data'));
}, 1_800_000);
afterAll(async () => {
  await island?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('with the true proxy and checksum database unreachable, on empty caches', () => {
  it('what go locked is a product of at least 200 modules', () => {
    const wish = golang.demand.wishOfLockfile('go.sum', readFileSync(join(product, 'go.sum')));
    const pins = wish.type === 'pins' ? wish.pins : [];
    const whole = pins.filter(({ files }) => files?.some(({ fileName }) => fileName.endsWith('.zip')));

    console.log(`go.sum: ${pins.length} versions, ${whole.length} of them whole`);
    expect(whole.length).toBeGreaterThanOrEqual(200);
  });

  it('every zip and every go.mod was borne out by the checksum database', () => {
    using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
    const stored = [...catalog.all('stored', { subjectPrefix: 'pkg:golang/' })].map(({ entry }) => ({
      subject: entry.subject,
      body: StoredBody.parse(entry.body),
    }));
    const files = stored.filter(({ subject }) => /\.(mod|zip)$/.test(subject));
    const kept = stored.filter(({ body }) => body.support === true);

    console.log(`${files.length} files checked, ${kept.length} kept to prove it: ${kept.filter(({ subject }) => subject.includes('/tree@')).length} trees`);
    expect(files.filter(({ body }) => !body.evidence.some(({ check, state }) => check === 'sumdb' && state === 'checked'))).toEqual([]);
  });

  it('go downloads, verifies and loads the product from its go.sum', async () => {
    const home = islander();
    const project = home.take(product);

    does(await home.go(['mod', 'download'], project), 'go mod download');
    does(await home.go(['mod', 'verify'], project), 'go mod verify');
    does(await home.go(['list', '-deps', './...'], project), 'go list -deps');

    expect(readFileSync(join(project, 'go.sum'), 'utf8')).toBe(sum);
  });

  it('go proves every module by the checksum database when there is no go.sum, and comes to the same one', async () => {
    const home = islander();
    const project = home.take(product);
    rmSync(join(project, 'go.sum'));

    does(await home.go(['mod', 'tidy'], project), 'go mod tidy without go.sum');

    expect(readFileSync(join(project, 'go.sum'), 'utf8')).toBe(sum);
  });

  it('go gets a single module that was asked for, and what it needs', async () => {
    const home = islander();
    const project = home.take(PRODUCT);
    writeFileSync(join(project, 'go.mod'), 'module product.example/operator\n\ngo 1.24.0\n');
    writeFileSync(join(project, 'main.go'), 'package main\n\nimport _ "golang.org/x/mod/zip"\n\nfunc main() {}\n');

    does(await home.go(['get', MODULE], project), `go get ${MODULE}`);
    does(await home.go(['build', '-o', '/dev/null', '.'], project), 'go build');
  });

  it('go brings another toolchain', async () => {
    const { said } = await islander(TOOLCHAIN).go(['version'], folder);

    expect(said).toContain(`go version ${TOOLCHAIN} `);
  });
});

function islander(toolchain?: string): GoHome {
  return makeGoHome(folder, { proxy: `${island.address}/golang`, runner: island.run, ...(toolchain === undefined ? {} : { toolchain }) });
}

function does(ran: Ran, what: string): void {
  succeeded(ran, what);
  report(what, ran);
}

function report(what: string, { seconds }: { readonly seconds: number }): void {
  console.log(`${what}: ${seconds.toFixed(1)} s`);
}
