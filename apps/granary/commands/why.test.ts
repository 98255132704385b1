import { toPurl, toSha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type Explanation, formatExplanation } from './why.ts';

const LAMP: Explanation = {
  purl: 'pkg:npm/lamp@1.0.0?file_name=lamp-1.0.0.tgz',
  sha256: toSha256('0'.repeat(64)),
  stored: {
    entry: 7,
    at: '2026-01-31T12:00:00Z',
    licence: null,
    evidence: [
      { check: 'npm-attestations', state: 'checked', by: 'https://forge.example/house/lamp/.forge/release.yml@refs/heads/main' },
      { check: 'npm-registry-signature', state: 'unchecked', why: 'upstream tells no keys' },
      { check: 'index-sha512', state: 'checked' },
    ],
  },
  upstream: 'listed',
  source: { kind: 'commit', tier: 'commit-attested', repository: toPurl('pkg:git/forge.example/house/lamp'), commit: '1'.repeat(40), evidence: 'attested' },
  sourceFindings: ['claimed-commit-differs', 'sources-disagree'],
  attempts: [],
  verdict: null,
  attested: [],
};

it('says how a commit was found, who signed for it, and what is said against it', () => {
  const lines = formatExplanation(LAMP).split('\n');

  expect(lines).toEqual(
    expect.arrayContaining([
      `  source    pkg:git/forge.example/house/lamp commit ${'1'.repeat(40)}, commit-attested, found by attested`,
      '  evidence  npm-attestations: checked, by https://forge.example/house/lamp/.forge/release.yml@refs/heads/main',
      '  evidence  npm-registry-signature: unchecked, upstream tells no keys',
      '  evidence  index-sha512: checked',
      '  SECURITY  claimed-commit-differs: another commit than the one that the package names has more of its files',
    ]),
  );
});
