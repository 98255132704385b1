import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { memoryCatalog } from '@granary/contract/memory';
import type { FoldableLeaf } from '@granary/contract/ports';
import { catalogContract } from '@granary/contract/suites';
import { encodeEntry, type Fact, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deleteSqliteCatalog, openSqliteCatalog } from './index.ts';

const LOG = 'log.example';

async function scratchFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-catalog-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'catalog.sqlite');
}

/** A ledger like those of a site: states that follow each other, outcomes about artifacts, and what is no fact. */
function ledger(from: number, count: number): readonly FoldableLeaf[] {
  return Array.from({ length: count }, (_, n) => ({ index: from + n, bytes: leaf(from + n) }));
}
function leaf(n: number): Uint8Array {
  if (n % 50 === 49) return new TextEncoder().encode(`{"foreign":${n}}`);
  const at = toInstant(1_700_000_000_000 + n);
  const artifact = `pkg:pypi/package-${n % 97}@1.${n % 7}?file_name=package_${n % 97}-1.${n % 7}-py3-none-any.whl`;
  const fact: Fact =
    n % 5 === 0
      ? { kind: 'observed', subject: `pkg:pypi/package-${n % 97}`, body: { document: sha256(String(n)) } }
      : { kind: 'stored', subject: artifact, inputs: [sha256(String(n))], body: { sha256: sha256(artifact), sizeBytes: n } };
  return encodeEntry(fact, 'key', at);
}

describe('the sqlite catalog', () => {
  catalogContract(() => openSqliteCatalog(':memory:', { mode: 'fold' }));

  it('dumps what the catalog in memory dumps', () => {
    const [real, plain] = [openSqliteCatalog(':memory:', { mode: 'fold' }), memoryCatalog()];

    for (const catalog of [real, plain]) {
      catalog.fold(LOG, ledger(0, 700));
      catalog.fold('other.example', ledger(0, 100));
    }

    expect([...real.dump()]).toEqual([...plain.dump()]);
  });
});

describe('a catalog file', () => {
  it('goes on where it stopped when it is opened again', async () => {
    const file = await scratchFile();
    {
      using catalog = openSqliteCatalog(file, { mode: 'fold' });
      catalog.fold(LOG, ledger(0, 100));
    }

    using catalog = openSqliteCatalog(file, { mode: 'fold' });
    catalog.fold(LOG, ledger(100, 100));

    const whole = openSqliteCatalog(':memory:', { mode: 'fold' });
    whole.fold(LOG, ledger(0, 200));
    expect([...catalog.dump()]).toEqual([...whole.dump()]);
  });

  it('is the same after it was deleted and folded again', async () => {
    const file = await scratchFile();
    const dumpAfterFold = (): readonly string[] => {
      using catalog = openSqliteCatalog(file, { mode: 'fold' });
      catalog.fold(LOG, ledger(0, 300));
      return [...catalog.dump()];
    };
    const first = dumpAfterFold();

    await deleteSqliteCatalog(file);
    await deleteSqliteCatalog(file);

    expect(await readdir(join(file, '..'))).toEqual([]);
    expect(dumpAfterFold()).toEqual(first);
  });

  it('shows a reader what is folded meanwhile, batch by batch', async () => {
    const file = await scratchFile();
    using writer = openSqliteCatalog(file, { mode: 'fold' });
    writer.fold(LOG, ledger(0, 100));
    using reader = openSqliteCatalog(file, { mode: 'read' });
    const before = [reader.revision(), reader.revisionOf('pkg:pypi/package-3')];

    writer.fold(LOG, ledger(100, 100));

    expect(before).toEqual([100, 1]);
    expect(reader.revision()).toBe(200);
    expect(reader.revisionOf('pkg:pypi/package-3')).toBe(3);
    expect([...reader.dump()]).toEqual([...writer.dump()]);
  });

  it('is read by another process while a batch is under way', async () => {
    const file = await scratchFile();
    using writer = openSqliteCatalog(file, { mode: 'fold' });
    writer.fold(LOG, ledger(0, 100));
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');

    const index = new URL('./index.ts', import.meta.url).href;
    const script = `import { openSqliteCatalog } from '${index}'; console.log(openSqliteCatalog(process.argv[1], { mode: 'read' }).size('${LOG}'));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script, file], { encoding: 'utf8' });
    other.close();

    expect(stdout).toBe('100\n');
  });

  it('is not folded by a reader', async () => {
    const file = await scratchFile();
    openSqliteCatalog(file, { mode: 'fold' })[Symbol.dispose]();
    using reader = openSqliteCatalog(file, { mode: 'read' });

    expect(() => reader.fold(LOG, ledger(0, 1))).toThrow(/opened for reading/);
  });

  it.each([
    ['another fold version', (file: string) => void withFile(file, 'PRAGMA user_version = 999'), /folded by version 999, this is 1: delete it/],
    ['a database of something else', (file: string) => void withFile(file, 'CREATE TABLE other (x)'), /not a catalog/],
    ['no database', (file: string) => writeFile(file, 'x'.repeat(5000)), /not a database/],
  ])('of %s is unusable', async (_, spoil, message) => {
    const file = await scratchFile();
    if (message.source.includes('version')) openSqliteCatalog(file, { mode: 'fold' })[Symbol.dispose]();
    await spoil(file);

    for (const mode of ['fold', 'read'] as const) {
      expect(() => openSqliteCatalog(file, { mode })).toThrow(
        expect.objectContaining({ name: 'CatalogError', code: 'unusable', message: expect.stringMatching(message) }),
      );
    }
  });

  it('that is not there is unusable for a reader', async () => {
    const file = await scratchFile();

    expect(() => openSqliteCatalog(file, { mode: 'read' })).toThrow(expect.objectContaining({ code: 'unusable' }));
  });

  it('has no dump when a row is not what its leaf says', async () => {
    const file = await scratchFile();
    using catalog = openSqliteCatalog(file, { mode: 'fold' });
    catalog.fold(LOG, ledger(0, 10));

    withFile(file, "UPDATE facts SET subject = 'pkg:pypi/else' WHERE from_index = 3");

    expect(() => [...catalog.dump()]).toThrow(/row 3 is not what its leaf says/);
  });
});

function withFile(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}
