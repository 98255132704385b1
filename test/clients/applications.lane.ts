import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { report } from '../report.ts';
import { frozenInstallOf, type Installation } from './frozen-install.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { openIsland, whyNoIsland } from './island.ts';
import { mirrorAll, type Product } from './mirror-all.ts';
import { mustRun } from './run.ts';

/** Applications of strangers, each in a folder of its name; README.md says how it is filled. */
const APPLICATIONS = process.env['GRANARY_APPLICATIONS'];
const reason = APPLICATIONS === undefined ? 'GRANARY_APPLICATIONS names no folder of applications' : whyNoIsland();
const names =
  APPLICATIONS === undefined ? [] : readdirSync(APPLICATIONS, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
/** Applications differ by megabytes and minutes. */
const TIMEOUT_MS = 5_400_000;
const MAX_LINES = 6;

const Added = z.object({
  outcomes: z.array(z.object({ specification: z.string() })),
  left: z.array(z.object({ path: z.string(), why: z.string() })),
});
interface Row {
  readonly lock: string;
  readonly client: string;
  readonly releases: number;
  readonly product: Product;
  /** Exit code of the client, and the end of what it said. */
  readonly code: number | null;
  readonly said: string;
  readonly seconds: number;
}
const rows: Row[] = [];

if (reason !== undefined) report(`SKIPPED: ${reason}`);
afterAll(() => report(rows.map(lineOf).join('\n')));

describe.skipIf(reason !== undefined)(`with every upstream unreachable, on empty caches${reason === undefined ? '' : `: ${reason}`}`, () => {
  it.each(names)(
    '%s: what is said to be complete installs frozen, and what does not install is named',
    async (name) => {
      const folder = mkdtempSync(join(process.env['GRANARY_APPLICATIONS_DATA'] ?? tmpdir(), `granary-${name}-`));
      try {
        const found = await tryApplication(folder, join(APPLICATIONS ?? '', name));

        rows.push(...found);
        for (const row of found) report(lineOf(row));
        expect(found.length).toBeGreaterThan(0);
        for (const { lock, product, code, said } of found) {
          expect(code === 0 || !product.complete, `${lock} is complete, and its client said:\n${said}`).toBe(true);
          expect(product.complete || product.missing.length > 0, `${lock} isn't complete, and nobody says why`).toBe(true);
        }
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
      }
    },
    TIMEOUT_MS,
  );
});

/** Watches what a search finds in the application's folder, mirrors it, and installs each lock without a network. */
async function tryApplication(folder: string, original: string): Promise<readonly Row[]> {
  const application = join(folder, 'application', basename(original));
  mkdirSync(dirname(application));
  cpSync(original, application, { recursive: true, filter: (path) => !/^(\.git|node_modules|target|\.venv)$/.test(basename(path)) });
  const config = join(folder, 'granary.yaml');
  writeFileSync(config, '{"data":"data"}\n');
  const run = async (...args: readonly string[]) => (await mustRun(granaryArgv(...args, '--config', config), { env: granaryEnvironment() })).said;
  const { left } = Added.parse(JSON.parse(/^\{.*\}$/m.exec(await run('watch', 'add', application, '--json'))?.[0] ?? ''));
  for (const { path, why } of left) report(`${basename(original)}: left ${path}: ${why}`);
  const products = await mirrorAll(config);
  const hints = [...(await run('doctor')).matchAll(/`([^`]+)`/g)].map(([, line = '']) => line);
  await using island = await openIsland(join(folder, 'data'));
  const remedy = (begin: string) => hints.find((line) => line.startsWith(begin)) ?? `echo no remedy begins with ${begin}; exit 1`;
  return await installAll({ island, folder: join(folder, 'users'), remedy }, { folder, application, products });
}

interface Mirrored {
  readonly folder: string;
  readonly application: string;
  readonly products: readonly Product[];
}

async function installAll(at: Installation, { folder, application, products }: Mirrored): Promise<readonly Row[]> {
  const found: Row[] = [];
  mkdirSync(at.folder);
  for (const product of products) {
    const path = join(folder, product.specification);
    const frozen = frozenInstallOf(path);
    if (frozen === undefined) continue;
    const { code, said, seconds } = await frozen.install({ application, lock: path }, at);
    const lock = join(basename(application), relative(application, path));
    found.push({ lock, client: frozen.client, releases: frozen.releases, product, code, said: said.slice(-4000), seconds });
  }
  return found;
}

function lineOf({ lock, client, releases, product, code, said, seconds }: Row): string {
  const { complete, held, files, missing } = product;
  const mirrored = `${complete ? 'complete' : 'not complete'}, ${held.files} of ${files} files, ${(held.bytes / 2 ** 20).toFixed(0)} MiB`;
  const ended = code === 0 ? `installed in ${seconds.toFixed(0)} s` : `exit ${code}: ${said.trim().split('\n').slice(-MAX_LINES).join(' / ')}`;
  const why = missing.slice(0, MAX_LINES).join('; ');
  return `${lock} | ${client} | ${releases} | ${mirrored} | ${ended} | ${why}${missing.length > MAX_LINES ? ` and ${missing.length - MAX_LINES} more` : ''}`;
}
