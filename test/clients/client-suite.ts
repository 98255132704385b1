import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VanishedBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll } from 'vitest';

/** One site of real clients, that the tests of a file use from beginning to end. */
export interface ClientSuite {
  /** Why this machine can't, where it can't. */
  readonly isSkipped: boolean;
  /** Of a test, with the reason where it is skipped. */
  title(text: string): string;
}
export interface ClientSuiteOptions {
  readonly name: string;
  /** Undefined where everything that the tests need is here. */
  readonly reason: string | undefined;
  readonly timeoutMs: number;
}

/** Sets up in a folder of its own, and after the tests closes what was opened and removes the folder. Nothing happens where they are skipped. */
export function clientSuite(
  { name, reason, timeoutMs }: ClientSuiteOptions,
  setUp: (folder: string, opened: AsyncDisposableStack) => Promise<void>,
): ClientSuite {
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    if (reason !== undefined) return;
    const folder = await mkdtemp(join(tmpdir(), `granary-${name}-`));
    opened.defer(() => rm(folder, { recursive: true }));
    await setUp(folder, opened);
  }, timeoutMs);
  afterAll(() => opened.disposeAsync());
  return { isSkipped: reason !== undefined, title: (text) => (reason === undefined ? text : `${text} (skipped: ${reason})`) };
}

/** What a site in this folder recorded of files that upstream has no longer: `<purl> <state>`, in order. */
export function vanishedIn(dataDir: string): readonly string[] {
  using catalog = openSqliteCatalog(join(dataDir, 'derived/catalog.sqlite'), { mode: 'read' });
  return [...catalog.all('vanished')].map(({ entry }) => `${entry.subject} ${VanishedBody.parse(entry.body).state}`).sort();
}
