import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEntry, type Fact, factKey, packageOf, parsePurl, releaseOf, sha256, toInstant } from '../model/index.ts';
import { type CatalogRow, toRow } from './index.ts';

const at = toInstant(1_700_000_000_000);
function rowOf(fact: Fact): CatalogRow | undefined {
  const change = toRow(encodeEntry(fact, 'key', at));
  return change.type === 'row' ? change.row : undefined;
}
const stored = (subject: string, body = {}): Fact => ({ kind: 'stored', subject, inputs: [], body });
const leaf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a catalog row', () => {
  it('names the package, the release and the artifact that a fact is about', () => {
    const fact = stored('pkg:pypi/six@1.16.0?file_name=six.whl', { sha256: sha256('six') });

    expect(rowOf(fact)).toEqual({
      key: factKey(fact),
      kind: 'stored',
      subject: fact.subject,
      at,
      package: 'pkg:pypi/six',
      release: 'pkg:pypi/six@1.16.0',
      digest: sha256('six'),
      validity: 'for-ever',
      entry: { ...fact, granary: 1, author: 'key', at },
    });
  });

  it.each([
    ['pkg:pypi/six', 'pkg:pypi/six', undefined],
    ['pkg:npm/%40scope/name@1.0.0#sub', 'pkg:npm/%40scope/name', 'pkg:npm/%40scope/name@1.0.0'],
    ['pkg:golang/example.test/a/b@v1.0.0?x=a@b', 'pkg:golang/example.test/a/b', 'pkg:golang/example.test/a/b@v1.0.0'],
    ['pkg:', undefined, undefined],
    ['site', undefined, undefined],
    ['uv.lock', undefined, undefined],
  ])('finds in %s the package %s and the release %s', (subject, expectedPackage, expectedRelease) => {
    const row = rowOf(stored(subject));

    expect([row?.package, row?.release]).toEqual([expectedPackage, expectedRelease]);
  });

  it('finds what the purl library finds', () => {
    const part = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'B', '@', '/', '?', '#', '%', ' ', ':', '+', '.', '-') });
    fc.assert(
      fc.property(fc.constantFrom('npm', 'pypi', 'generic'), part, part, (type, name, version) => {
        const subject = parsePurl(`pkg:${type}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?file_name=x`);
        fc.pre(subject !== undefined);
        if (subject === undefined) return;

        const row = rowOf(stored(subject));

        expect([row?.package, row?.release]).toEqual([packageOf(subject), releaseOf(subject)]);
      }),
    );
  });

  it('names no artifact when the body names none', () => {
    expect(rowOf(stored('pkg:pypi/six', { sha256: 'short' }))).not.toHaveProperty('digest');
    expect(rowOf(stored('pkg:pypi/six', { sha256: ['x'] }))).not.toHaveProperty('digest');
  });

  it('of a state closes the one before it', () => {
    expect(rowOf({ kind: 'observed', subject: 'pkg:pypi/six', body: {} })?.validity).toBe('state');
    expect(rowOf({ kind: 'polled', subject: 'pkg:pypi/six', run: '1', body: {} })?.validity).toBe('for-ever');
  });

  it('is not made of what is no fact of ours', () => {
    expect(toRow(leaf(`{"at":"${at}","author":"k","granary":1,"kind":"later"}`))).toEqual({ type: 'unknown-optional', kind: 'later' });
    expect(toRow(leaf(`{"at":"${at}","author":"k","critical":true,"granary":1,"kind":"later"}`))).toEqual({ type: 'unknown-critical', kind: 'later' });
    expect(toRow(leaf('{"apiVersion":"0.0.2"}'))).toEqual({ type: 'foreign' });
    expect(toRow(leaf('{ }'))).toMatchObject({ type: 'malformed' });
  });
});
