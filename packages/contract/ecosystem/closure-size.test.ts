import { type Artifact, encodeEntry, formatPurl, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { memoryCatalog } from '../memory/index.ts';
import { closureSize, overQuota } from './closure-size.ts';

const file = (name: string, sizeBytes?: number): Artifact => ({
  purl: formatPurl({ type: 'tiny', name, version: '1', fileName: `${name}.box` }),
  fileName: `${name}.box`,
  digests: {},
  path: `${name}.box`,
  ...(sizeBytes === undefined ? {} : { sizeBytes }),
});

it('counts each file once: as large as it is where it is held, else as upstream states, else as unknown', () => {
  const catalog = memoryCatalog();
  const held = file('held');
  const body = { sha256: sha256('held'), sizeBytes: 40, path: held.path, evidence: [] };
  catalog.fold('ledger.example', [{ index: 0, bytes: encodeEntry({ kind: 'stored', subject: held.purl, inputs: ['x'], body }, 'author', toInstant(0)) }]);

  expect(closureSize(catalog, [held, held, file('stated', 2), file('unknown')])).toEqual({
    files: 3,
    bytes: 42,
    unknownSizes: 1,
    held: { files: 1, bytes: 40 },
  });
});

it('is above a quota by what is known, and never without one', () => {
  const size = { files: 2, bytes: 10, unknownSizes: 0, held: { files: 0, bytes: 0 } };

  expect(overQuota(size, undefined)).toBeUndefined();
  expect(overQuota(size, 10)).toBeUndefined();
  expect(overQuota(size, 9)).toBe('above its quota: 2 files of 10 bytes, the quota is 9 bytes');
});
