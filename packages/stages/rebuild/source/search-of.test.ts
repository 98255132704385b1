import type { ReleaseClaim } from '@granary/contract/ecosystem';
import { memoryCatalog } from '@granary/contract/memory';
import { encodeEntry, formatPurl, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { searchOf } from './search-of.ts';

const [NAMED, STATED] = ['named', 'stated'].map((name) => formatPurl({ type: 'git', namespace: 'forge.example/owner', name })) as [never, never];
const COMMIT = '1'.repeat(40);

describe('the repository that an operator stated', () => {
  it('is the only one that is looked into, and no commit or folder of another is looked for in it', () => {
    const claim = { source: { repository: NAMED, commit: COMMIT, directory: 'packages/lamp' }, stated: STATED };

    expect(search(claim)).toEqual({
      repository: STATED,
      directory: undefined,
      claimedCommit: undefined,
      attestedCommit: undefined,
      overruled: [COMMIT],
      findings: ['sources-disagree'],
      isNamed: false,
    });
  });

  it('overrules nothing where the package names the same', () => {
    expect(search({ source: { repository: STATED, commit: COMMIT }, stated: STATED })).toMatchObject({ claimedCommit: COMMIT, overruled: [], isNamed: true });
  });
});

it('without one, the repository that is named is looked into', () => {
  expect(search({ source: { repository: NAMED, commit: COMMIT, directory: 'lamp' } })).toMatchObject({
    repository: NAMED,
    directory: 'lamp',
    claimedCommit: COMMIT,
    overruled: [],
  });
});

function search(claim: ReleaseClaim) {
  const catalog = memoryCatalog();
  for (const repository of [NAMED, STATED]) {
    const body = { document: sha256('refs'), sizeBytes: 1, mediaType: 'x', url: 'https://forge.example' };
    catalog.fold('ledger.example', [
      { index: catalog.size('ledger.example'), bytes: encodeEntry({ kind: 'observed', subject: repository, body }, 'author', toInstant(0)) },
    ]);
  }
  return searchOf(catalog, claim);
}
