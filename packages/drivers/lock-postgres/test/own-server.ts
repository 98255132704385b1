import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@granary/services';
import pg from 'pg';
import { onTestFinished } from 'vitest';

/** A server over an empty folder, until the test ends. */
export async function serverUntilTestEnds(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = await startPostgres({ folder, settings });
  onTestFinished(() => server.stop());
  return { ...server, folder };
}

/** What an administrator runs. */
export async function administer(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** The address of an empty database of that server. */
export async function emptyDatabase(url: string): Promise<string> {
  const name = `d${crypto.randomUUID().replaceAll('-', '')}`;
  await administer(url, `CREATE DATABASE ${name}`);
  return withParts(url, { database: name });
}

/** The same address with another port, user or database. */
export function withParts(url: string, parts: { readonly port?: number; readonly user?: string; readonly database?: string }): string {
  const changed = new URL(url);
  if (parts.port !== undefined) changed.port = String(parts.port);
  if (parts.user !== undefined) changed.username = parts.user;
  if (parts.database !== undefined) changed.pathname = `/${parts.database}`;
  return changed.href;
}
