import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { StoredBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { checkGitHost } from '@granary/driver-git-native';
import { type GitBackend, serveGit } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { report } from '../report.ts';
import { inventoryOf, type RepositoryInventory } from './git-inventory.ts';
import { granaryArgv, startGranary } from './granary-process.ts';
import { run } from './run.ts';
import { freePort } from './running-mirror.ts';

/** Bare repositories of strangers, as `owner/name.git`; docs/repositories.md says how it is filled. */
const REPOSITORIES = process.env['GRANARY_REPOSITORIES'];
const host = await checkGitHost();
const reason = REPOSITORIES === undefined ? 'GRANARY_REPOSITORIES names no folder of repositories' : host.ok ? undefined : host.why;
const names =
  REPOSITORIES === undefined ? [] : readdirSync(REPOSITORIES).flatMap((owner) => bareIn(join(REPOSITORIES, owner)).map((name) => `${owner}/${name}`));
/** A repository of some hundred MB on a machine that does much else. */
const TIMEOUT_MS = 1_800_000;
const KEPT = ['refs/heads/', 'refs/tags/', 'refs/notes/'];
const GIT_ENVIRONMENT = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };

interface Row {
  readonly name: string;
  readonly found: RepositoryInventory;
  readonly packBytes: number;
  readonly mirrorSeconds: number;
  readonly cloneSeconds: number;
}
const rows: Row[] = [];
let upstream: GitBackend;

if (reason !== undefined) report(`SKIPPED: ${reason}`);

describe.skipIf(reason !== undefined)(`repositories of strangers, mirrored from loopback${reason === undefined ? '' : `: ${reason}`}`, () => {
  beforeAll(async () => {
    upstream = await serveGit(REPOSITORIES ?? '');
  });
  afterAll(async () => {
    await upstream?.close();
    report(rows.map(lineOf).join('\n'));
  });

  it.each(names)(
    '%s: a clone of the mirror has the refs and the objects that upstream has, each of them and no others',
    async (name) => {
      const folder = mkdtempSync(join(process.env['GRANARY_REPOSITORIES_DATA'] ?? tmpdir(), 'granary-git-'));
      try {
        const expected = await inventoryOf(join(REPOSITORIES ?? '', `${name}.git`), { refs: KEPT, objects: 'reachable' });

        const { clone, mirrorSeconds, cloneSeconds } = await mirrorAndClone(folder, name);

        const found = await inventoryOf(clone, { refs: ['refs/'], objects: 'all' });
        expect(found).toEqual(expected);
        rows.push({ name, found, packBytes: packBytesIn(folder), mirrorSeconds, cloneSeconds });
        for (const row of rows.slice(-1)) report(lineOf(row));
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
      }
    },
    TIMEOUT_MS,
  );
});

async function mirrorAndClone(folder: string, name: string) {
  const config = join(folder, 'granary.yaml');
  const settings = { data: 'data', watch: [`https://forge.example/${name}`], repositories: { insteadOf: { 'https://forge.example/': upstream.base } } };
  writeFileSync(config, JSON.stringify(settings));
  const listen = `127.0.0.1:${await freePort()}`;
  const startedAt = performance.now();
  await using site = startGranary(granaryArgv('up', '--config', config, '--listen', listen, '--json'));
  await site.saidThat(/^\{"artifacts":/m);
  const mirrorSeconds = (performance.now() - startedAt) / 1000;
  const clone = join(folder, 'clone.git');
  const cloned = await run(['git', 'clone', '--quiet', '--mirror', `http://${listen}/git/forge.example/${name}`, clone], { env: GIT_ENVIRONMENT });
  expect(cloned.code, `${cloned.said}\n${site.said().slice(-4000)}`).toBe(0);
  return { clone, mirrorSeconds, cloneSeconds: cloned.seconds };
}

function bareIn(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => (name.endsWith('.git') ? [name.slice(0, -'.git'.length)] : []));
}

/** As the mirror keeps them. */
function packBytesIn(folder: string): number {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return [...catalog.all('stored')].reduce((sum, { entry }) => sum + StoredBody.parse(entry.body).sizeBytes, 0);
}

function lineOf({ name, found, packBytes, mirrorSeconds, cloneSeconds }: Row): string {
  const { refs, objects } = found;
  return `${name} | ${refs.length} refs | ${objects.count} objects | ${(packBytes / 1e6).toFixed(0)} MB | mirrored in ${mirrorSeconds.toFixed(1)} s | cloned in ${cloneSeconds.toFixed(1)} s`;
}
