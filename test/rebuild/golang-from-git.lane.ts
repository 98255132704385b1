import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { checkGitHost } from '@granary/driver-git-native';
import { type GitBackend, serveGit } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeGoHome, whyNoGo } from '../clients/go-home.ts';
import { granaryArgv, granaryEnvironment, startGranary } from '../clients/granary-process.ts';
import { succeeded } from '../clients/island-clients.ts';
import { mustRun } from '../clients/run.ts';
import { freePort } from '../clients/running-mirror.ts';
import { report } from '../report.ts';
import { judgedIn } from './judged.ts';

/** Bare repositories of strangers, as `owner/name.git`, and a list of modules that were made from them; docs/repositories.md says how both are written. */
const REPOSITORIES = process.env['GRANARY_REPOSITORIES'];
const LIST = process.env['GRANARY_GO_MODULES'];
const host = await checkGitHost();
const reason =
  REPOSITORIES === undefined || LIST === undefined
    ? 'GRANARY_REPOSITORIES and GRANARY_GO_MODULES name no repositories and no modules'
    : (whyNoGo() ?? (host.ok ? undefined : host.why));
/** A package that the real client builds from what is verified, as `module@version` (of an executable's library, say); of all modules in its graph the list names the repositories. */
const PRODUCT = process.env['GRANARY_GO_PRODUCT'];
const TIMEOUT_MS = 3_600_000;

interface ListedModule {
  readonly path: string;
  readonly version: string;
  /** As a claim of the module comes to it. */
  readonly address: string;
  /** In the folder. */
  readonly name: string;
}
const modules = LIST === undefined ? [] : readFileSync(LIST, 'utf8').split('\n').flatMap(readLine);
const KINDS = ['zip', 'mod', 'info'] as const;
const rungs: string[] = [];
/** The verdicts of each version's three files, as one line. */
const verdicts: string[] = [];
let folder = '';
let product = '';
let upstream: GitBackend;

if (reason !== undefined) report(`SKIPPED: ${reason}`);

describe.skipIf(reason !== undefined)(
  `modules of the true proxy, and repositories of strangers on loopback${reason === undefined ? '' : `: ${reason}`}`,
  () => {
    beforeAll(setUp, TIMEOUT_MS);
    afterAll(async () => {
      await upstream?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
      report(`${rungs.filter((rung) => rung === 'identical-files').length} of ${modules.length} have identical files`);
      for (const [line, same] of Map.groupBy(verdicts, (verdict) => verdict)) report(`${same.length} of ${modules.length}: ${line}`);
    });

    it.each(modules)('$path@$version has the files that its commit gives it, each of them and no others', ({ path, version }) => {
      const rung = rungOf({ path, version });

      rungs.push(rung);
      expect(rung).toBe('identical-files');
    });

    it.skipIf(PRODUCT === undefined)(`${PRODUCT ?? 'a product'} is built from what is verified`, buildProduct, TIMEOUT_MS);
  },
);

async function setUp(): Promise<void> {
  folder = mkdtempSync(join(process.env['GRANARY_REPOSITORIES_DATA'] ?? tmpdir(), 'granary-golang-rebuild-'));
  upstream = await serveGit(REPOSITORIES ?? '');
  const addresses = new Map(modules.map(({ address, name }) => [address, `${upstream.base}${name}.git`]));
  if (PRODUCT !== undefined) product = await writeProduct(PRODUCT);
  const settings = {
    data: 'data',
    watch: [...(PRODUCT === undefined ? [] : ['product/go.sum']), ...modules.map(({ path, version }) => `pkg:golang/${path}@${version}`), ...addresses.keys()],
    repositories: { insteadOf: Object.fromEntries(addresses) },
  };
  const config = join(folder, 'granary.yaml');
  writeFileSync(config, JSON.stringify(settings));
  const { seconds } = await mustRun(granaryArgv('up', '--once', '--config', config), { env: granaryEnvironment() });
  report(`${modules.length} modules and ${addresses.size} repositories: up --once took ${seconds.toFixed(0)} s`);
}

/** Of the zip; reports what became of each file of the version. */
function rungOf({ path, version }: Pick<ListedModule, 'path' | 'version'>): string {
  const judged = judgedIn(join(folder, 'data'), `pkg:golang/${path}@${version}?file_name=${version.replaceAll('+', '%2B')}.zip`);
  const { verdict, rung = 'none', tier, failureClass, cause } = judged?.verdict ?? {};
  const each = KINDS.map((kind) => judgedIn(join(folder, 'data'), `pkg:golang/${path}@${version}?file_name=${version.replaceAll('+', '%2B')}.${kind}`));

  verdicts.push(each.map((file, at) => `.${KINDS[at]} ${file?.verdict?.rung ?? file?.verdict?.cause ?? file?.verdict?.failureClass ?? 'none'}`).join(', '));
  const source = judged?.source?.kind === 'commit' ? `${judged.source.commit.slice(0, 12)} by ${judged.source.evidence} ${judged.source.ref ?? ''}` : '';
  report(
    [
      path,
      version,
      verdict,
      rung,
      tier,
      failureClass ?? cause ?? '',
      source,
      judged?.findings.join(' '),
      verdicts.at(-1),
      judged?.residue?.slice(0, 5).join(', '),
    ].join(' | '),
  );
  return rung;
}

async function buildProduct(): Promise<void> {
  const listen = `127.0.0.1:${await freePort()}`;
  await using running = startGranary(granaryArgv('up', '--config', join(folder, 'granary.yaml'), '--listen', listen, '--json'));
  await running.saidThat(/^\{"artifacts":/m);
  const home = makeGoHome(folder, { proxy: `http://${listen}/verified/golang` });

  const built = await home.go(['build', '-o', 'built', '.'], home.take(product));

  report(`go build of ${PRODUCT} from what is verified, on an empty module cache: ${built.seconds.toFixed(1)} s\n${built.said}`);
  succeeded(built, `go build of ${PRODUCT}`);
}

/** A program that imports it, with a go.sum by the true proxy. */
async function writeProduct(named: string): Promise<string> {
  const [path = '', version = ''] = named.split('@');
  const project = join(folder, 'product');
  mkdirSync(project);
  writeFileSync(join(project, 'go.mod'), `module product.example/built\n\ngo 1.21\n\nrequire ${path} ${version}\n`);
  writeFileSync(join(project, 'main.go'), `package main\n\nimport _ "${path}"\n\nfunc main() {}\n`);
  const proxy = spawnSync('go', ['env', 'GOPROXY'], { encoding: 'utf8' }).stdout.trim();
  succeeded(await makeGoHome(folder, { proxy }).go(['mod', 'tidy'], project), 'go mod tidy');
  return project;
}

/** `module@version address owner/name`; what begins with `#` is a comment. */
function readLine(line: string): readonly ListedModule[] {
  const [, path, version, address, name] = /^([^#\s@][^\s@]*)@(\S+)\s+(\S+)\s+(\S+)$/.exec(line.trim()) ?? [];
  return path === undefined || version === undefined || address === undefined || name === undefined ? [] : [{ path, version, address, name }];
}
