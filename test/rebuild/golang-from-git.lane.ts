import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { checkGitHost } from '@granary/driver-git-native';
import { type GitBackend, serveGit } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoGo } from '../clients/go-home.ts';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { mustRun } from '../clients/run.ts';
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
const rungs: string[] = [];
let folder = '';
let upstream: GitBackend;

if (reason !== undefined) report(`SKIPPED: ${reason}`);

describe.skipIf(reason !== undefined)(
  `modules of the true proxy, and repositories of strangers on loopback${reason === undefined ? '' : `: ${reason}`}`,
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(process.env['GRANARY_REPOSITORIES_DATA'] ?? tmpdir(), 'granary-golang-rebuild-'));
      upstream = await serveGit(REPOSITORIES ?? '');
      const addresses = new Map(modules.map(({ address, name }) => [address, `${upstream.base}${name}.git`]));
      const settings = {
        data: 'data',
        watch: [...modules.map(({ path, version }) => `pkg:golang/${path}@${version}`), ...addresses.keys()],
        repositories: { insteadOf: Object.fromEntries(addresses) },
      };
      const config = join(folder, 'granary.yaml');
      writeFileSync(config, JSON.stringify(settings));
      const { seconds } = await mustRun(granaryArgv('up', '--once', '--config', config), { env: granaryEnvironment() });
      report(`${modules.length} modules and ${addresses.size} repositories: up --once took ${seconds.toFixed(0)} s`);
    }, TIMEOUT_MS);
    afterAll(async () => {
      await upstream?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
      report(`${rungs.filter((rung) => rung === 'identical-files').length} of ${modules.length} have identical files`);
    });

    it.each(modules)('$path@$version has the files that its commit gives it, each of them and no others', ({ path, version }) => {
      const judged = judgedIn(join(folder, 'data'), `pkg:golang/${path}@${version}?file_name=${version.replaceAll('+', '%2B')}.zip`);
      const { verdict, rung = 'none', tier, failureClass, cause } = judged?.verdict ?? {};

      rungs.push(rung);
      const source = judged?.source?.kind === 'commit' ? `${judged.source.commit.slice(0, 12)} by ${judged.source.evidence} ${judged.source.ref ?? ''}` : '';
      report(
        [path, version, verdict, rung, tier, failureClass ?? cause ?? '', source, judged?.findings.join(' '), judged?.residue?.slice(0, 5).join(', ')].join(
          ' | ',
        ),
      );
      expect(rung).toBe('identical-files');
    });
  },
);

/** `module@version address owner/name`; what begins with `#` is a comment. */
function readLine(line: string): readonly ListedModule[] {
  const [, path, version, address, name] = /^([^#\s@][^\s@]*)@(\S+)\s+(\S+)\s+(\S+)$/.exec(line.trim()) ?? [];
  return path === undefined || version === undefined || address === undefined || name === undefined ? [] : [{ path, version, address, name }];
}
