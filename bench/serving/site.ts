import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blobKey } from '@granary/core/layout';
import { encodeEntry, type Fact, factBody, formatPurl, type Sha256, sha256, toInstant } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';

const PAGES = 10_000;
const WHEELS = 1_000;
const WHEEL_BYTES = 300_000;
export const ORIGIN = 'bench.example';

const AT = toInstant(Date.UTC(2026, 0, 1));
const BATCH = 5000;

export interface BenchSite {
  readonly data: string;
  readonly catalog: string;
  /** Below the server's root, most wanted first. */
  readonly pagePaths: readonly string[];
  readonly wheelPaths: readonly string[];
}

interface File {
  readonly fileName: string;
  readonly version: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** A mirror of 10,000 packages with 1 to 21 files each, and of 1,000 wheels: made without a ledger, which serving doesn't read. */
export function makeSite(folder: string): BenchSite {
  const data = join(folder, 'store');
  const catalogFile = join(folder, 'catalog.sqlite');
  mkdirSync(data, { recursive: true });
  using catalog = openSqliteCatalog(catalogFile, { mode: 'fold' });
  let pending: Uint8Array[] = [];
  const flush = () => {
    const from = catalog.size(ORIGIN);
    catalog.fold(
      ORIGIN,
      pending.map((bytes, index) => ({ index: from + index, bytes })),
    );
    pending = [];
  };
  const record = (facts: readonly Fact[]) => {
    pending.push(...facts.map((fact) => encodeEntry(fact, 'bench', AT)));
    if (pending.length >= BATCH) flush();
  };
  const pages = Array.from({ length: PAGES }, (_, index) => `package-${index}`);
  for (const [index, name] of pages.entries())
    record(
      packageFacts(
        data,
        name,
        Array.from({ length: 1 + ((index * 7) % 21) }, (_, version) => describe(name, version, sha256(`${name} ${version}`))),
      ),
    );
  const wheels = Array.from({ length: WHEELS }, (_, index) => {
    const name = `wheel-${index}`;
    const file = { ...describe(name, 0, writeBlob(data, randomFillSync(new Uint8Array(WHEEL_BYTES)))), sizeBytes: WHEEL_BYTES };
    record(packageFacts(data, name, [file]));
    return pathOf(file);
  });
  flush();
  return { data, catalog: catalogFile, pagePaths: pages.map((name) => `pypi/simple/${name}/`), wheelPaths: wheels.map((path) => `pypi/${path}`) };
}

function describe(name: string, version: number, digest: Sha256): File {
  return { fileName: `${name.replaceAll('-', '_')}-1.${version}.0-py3-none-any.whl`, version: `1.${version}.0`, sha256: digest, sizeBytes: 40_000 + version };
}

function packageFacts(data: string, name: string, files: readonly File[]): readonly Fact[] {
  const document = Buffer.from(JSON.stringify({ meta: { 'api-version': '1.4' }, name, files: files.map(listed) }));
  const observed: Fact = {
    kind: 'observed',
    subject: formatPurl({ type: 'pypi', name }),
    body: {
      document: writeBlob(data, document),
      sizeBytes: document.length,
      mediaType: 'application/vnd.pypi.simple.v1+json',
      url: `https://registry.example/simple/${name}/`,
    },
  };
  return [observed, ...files.map((file) => storedFact(name, file))];
}

function listed(file: File): object {
  return {
    filename: file.fileName,
    url: `https://files.registry.example/${pathOf(file)}`,
    hashes: { sha256: file.sha256 },
    'requires-python': '>=3.8',
    size: file.sizeBytes,
    'upload-time': AT,
    yanked: false,
  };
}

function storedFact(name: string, file: File): Fact {
  return {
    kind: 'stored',
    subject: formatPurl({ type: 'pypi', name, version: file.version, fileName: file.fileName }),
    inputs: [file.sha256],
    body: factBody({
      sha256: file.sha256,
      sizeBytes: file.sizeBytes,
      path: pathOf(file),
      publishedAt: AT,
      evidence: [{ check: 'index-sha256', state: 'checked' }],
      metadata: file.sha256,
    }),
  };
}

function pathOf({ sha256: digest, fileName }: File): string {
  return `packages/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}/${fileName}`;
}

function writeBlob(data: string, bytes: Uint8Array): Sha256 {
  const digest = sha256(bytes);
  const path = join(data, blobKey(digest));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return digest;
}
