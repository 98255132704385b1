import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';

/** The clients that installs are tried with, by the name of their command, as what npm knows them by and where their program lies. */
const CLIENTS = {
  npm11: { command: 'npm', from: 'npm@11.21.2', program: 'bin/npm-cli.js' },
  npm12: { command: 'npm', from: 'npm@12.2.0', program: 'bin/npm-cli.js' },
  pnpm: { command: 'pnpm', from: 'pnpm@11.28.11', program: 'bin/pnpm.mjs' },
  yarn1: { command: 'yarn', from: 'yarn@1.22.22', program: 'bin/yarn.js' },
  yarn4: { command: 'yarn', from: '@yarnpkg/cli-dist@4.18.1', program: 'bin/yarn.js' },
} as const;
export type JsClient = keyof typeof CLIENTS;
const JS_CLIENTS: readonly JsClient[] = ['npm11', 'npm12', 'pnpm', 'yarn1', 'yarn4'];

const FOLDER = join(import.meta.dirname, '../../.toolchain/js-clients');
let found: Promise<string> | undefined;

/** A folder with nothing but the client's command in it, to stand first in PATH. */
export async function commandFolder(client: JsClient): Promise<string> {
  found ??= install();
  return join(await found, 'commands', client);
}

/** Once, by the machine's own npm, from wherever it gets its packages. */
async function install(): Promise<string> {
  const known = await access(FOLDER).then(
    () => true,
    () => false,
  );
  if (known) return FOLDER;
  await mkdir(join(FOLDER, '..'), { recursive: true });
  const made = mkdtempSync(`${FOLDER}-`);
  writeFileSync(join(made, 'package.json'), '{"private":true}');
  const packages = JS_CLIENTS.map((client) => `${client}@npm:${CLIENTS[client].from}`);
  await mustRun(['npm', 'install', '--prefix', made, '--ignore-scripts', '--no-audit', '--no-fund', ...packages]);
  for (const client of JS_CLIENTS) await writeCommand(made, client);
  try {
    renameSync(made, FOLDER);
  } catch {
    // Another process was first: what it made is the same.
    rmSync(made, { recursive: true });
  }
  return FOLDER;
}

async function writeCommand(made: string, client: JsClient): Promise<void> {
  const { command, program } = CLIENTS[client];
  const folder = join(made, 'commands', client);
  await mkdir(folder, { recursive: true });
  const path = join(FOLDER, 'node_modules', client, program);
  writeFileSync(join(folder, command), `#!/bin/sh\nexec "${process.execPath}" "${path}" "$@"\n`, { mode: 0o755 });
}
