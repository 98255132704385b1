import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';
import { madeOnce } from './made-once.ts';

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

let found: Promise<string> | undefined;

/** A folder with nothing but the client's command in it, to stand first in PATH. */
export async function commandFolder(client: JsClient): Promise<string> {
  found ??= madeOnce('js-clients', install);
  return join(await found, 'commands', client);
}

/** By the machine's own npm, from wherever it gets its packages. */
async function install(made: string, folder: string): Promise<void> {
  writeFileSync(join(made, 'package.json'), '{"private":true}');
  const packages = JS_CLIENTS.map((client) => `${client}@npm:${CLIENTS[client].from}`);
  await mustRun(['npm', 'install', '--prefix', made, '--ignore-scripts', '--no-audit', '--no-fund', ...packages]);
  for (const client of JS_CLIENTS) await writeCommand(made, folder, client);
}

async function writeCommand(made: string, toolchain: string, client: JsClient): Promise<void> {
  const { command, program } = CLIENTS[client];
  const folder = join(made, 'commands', client);
  await mkdir(folder, { recursive: true });
  const path = join(toolchain, 'node_modules', client, program);
  writeFileSync(join(folder, command), `#!/bin/sh\nexec "${process.execPath}" "${path}" "$@"\n`, { mode: 0o755 });
}
