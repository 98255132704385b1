import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../model/index.ts';
import { applyDelta, decodeSnapshot, encodeDelta, encodeSnapshot, isRefName, type ObjectId, parseObjectId, type RefState } from './index.ts';
import { codeOf } from './test/index.ts';

const id = (number: number): ObjectId => {
  const parsed = parseObjectId((number + 1).toString(16).padStart(40, '0'), 'sha1');
  if (parsed === undefined) throw new Error('the test is wrong');
  return parsed;
};
const stateOf = (
  refs: Readonly<Record<string, number>>,
  { head, peeled = {} }: { head?: string; peeled?: Readonly<Record<string, number>> } = {},
): RefState => ({
  objectFormat: 'sha1',
  refs: new Map(Object.entries(refs).map(([name, number]) => [name, id(number)])),
  peeled: new Map(Object.entries(peeled).map(([name, number]) => [name, id(number)])),
  ...(head === undefined ? {} : { head }),
});
const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const before = stateOf({ 'refs/heads/main': 1, 'refs/heads/old': 2, 'refs/tags/v1': 3 }, { head: 'refs/heads/main', peeled: { 'refs/tags/v1': 1 } });
const after = stateOf({ 'refs/tags/v1': 5, 'refs/heads/main': 4, HEAD: 6 });

describe('a snapshot of refs', () => {
  it('has one form, in whatever order the refs came', () => {
    const other = { ...before, refs: new Map([...before.refs].toReversed()) };

    expect(asText(encodeSnapshot(before))).toBe(
      `{"granary":1,"head":"refs/heads/main","objectFormat":"sha1","peeled":{"refs/tags/v1":"${id(1)}"},"refs":{"refs/heads/main":"${id(1)}","refs/heads/old":"${id(2)}","refs/tags/v1":"${id(3)}"},"type":"git-refs"}`,
    );
    expect(encodeSnapshot(other)).toEqual(encodeSnapshot(before));
    expect(decodeSnapshot(encodeSnapshot(before))).toEqual({ type: 'whole', state: before });
  });

  it('may be what became different since another', () => {
    const digest = sha256(encodeSnapshot(before));
    const bytes = encodeDelta(digest, before, after);

    expect(asText(bytes)).toBe(
      `{"base":"${digest}","gone":["refs/heads/old"],"granary":1,"objectFormat":"sha1","peeled":{},"set":{"HEAD":"${id(6)}","refs/heads/main":"${id(4)}","refs/tags/v1":"${id(5)}"},"type":"git-refs"}`,
    );
    const delta = decodeSnapshot(bytes);
    if (delta.type !== 'delta') throw new Error('not a delta');
    expect(applyDelta({ digest, state: before }, delta)).toEqual(after);
  });

  it('is what it was after any delta', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }).map((text) => `refs/heads/${text}`);
    const refs = fc.dictionary(name.filter(isRefName), fc.nat(3), { noNullPrototype: true });
    const state = fc.record({ refs, head: fc.option(fc.constant('refs/heads/main'), { nil: undefined }) }).map(({ refs: entries, head }) => {
      const peeled = Object.fromEntries(Object.entries(entries).filter(([, number]) => number > 1));
      return stateOf(entries, { peeled, ...(head === undefined ? {} : { head }) });
    });

    fc.assert(
      fc.property(state, state, (one, other) => {
        const digest = sha256(encodeSnapshot(one));
        const delta = decodeSnapshot(encodeDelta(digest, one, other));
        expect(decodeSnapshot(encodeSnapshot(other))).toEqual({ type: 'whole', state: other });
        expect(delta.type === 'delta' && applyDelta({ digest, state: one }, delta)).toEqual(other);
      }),
    );
  });

  it('of ten thousand refs is small, and its delta tiny', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`refs/pull/${at}/head`, at]));
    const whole = encodeSnapshot(stateOf(many));

    expect(whole.length).toBeLessThan(700_000);
    expect(encodeDelta(sha256(whole), stateOf(many), stateOf({ ...many, 'refs/heads/main': 7 })).length).toBeLessThan(300);
    expect(decodeSnapshot(whole)).toEqual({ type: 'whole', state: stateOf(many) });
  });

  it('has no delta to objects of another format', () => {
    expect(() => encodeDelta(sha256(''), before, { ...after, objectFormat: 'sha256' })).toThrow(RangeError);
  });

  const whole = asText(encodeSnapshot(before));
  const delta = asText(encodeDelta(sha256(''), before, after));
  it.each([
    ['no JSON', '{'],
    ['a form that is not the canonical one', whole.replace('{', '{ ')],
    ['a member that is unknown', whole.replace('"type"', '"time":1,"type"')],
    ['another type', whole.replace('"git-refs"', '"git-ref"')],
    ['another version', whole.replace('"granary":1', '"granary":2')],
    ['a short id', whole.replace(id(1), '1')],
    ['ids of another format', whole.replace('"sha1"', '"sha256"')],
    ['a format that is none', whole.replace('"sha1"', '"md5"')],
    ['a number for an id', whole.replace(`"${id(2)}"`, '2')],
    ['a name that is none', whole.replace('refs/heads/old', 'refs/heads/old.lock')],
    ['a name of a prototype', whole.replace('"refs/heads/main":', '"__proto__":')],
    ['a name of a prototype that peels', whole.replace('"peeled":{', '"peeled":{"__proto__":"x",')],
    ['a path for a name', whole.replace('refs/heads/old', 'refs/heads/../../x')],
    ['a branch of HEAD that is none', whole.replace('"head":"refs/heads/main"', '"head":"main"')],
    ['a tag peeled that is not there', whole.replace('"refs/tags/v1":"', '"refs/tags/v2":"')],
    ['a base that is none', delta.replace(sha256(''), 'x')],
    ['refs that are set and gone', delta.replace('["refs/heads/old"]', '["refs/heads/main"]')],
    ['refs that are gone twice', delta.replace('["refs/heads/old"]', '["refs/heads/old","refs/heads/old"]')],
    ['refs out of order', delta.replace('["refs/heads/old"]', '["refs/heads/old","refs/heads/n"]')],
    ['refs gone without a base', delta.replace(/"base":"[^"]*",/, '')],
    ['a lone surrogate', whole.replace('old', '\\ud800')],
  ])('is refused with %s', async (_, text) => {
    expect([whole, delta]).not.toContain(text);
    expect(await codeOf(() => decodeSnapshot(Buffer.from(text)))).toBe('malformed');
  });

  it('is refused when it is applied to what it was not made for', async () => {
    const digest = sha256(encodeSnapshot(before));
    const read = decodeSnapshot(encodeDelta(digest, before, after));
    if (read.type !== 'delta') throw new Error('not a delta');

    expect(await codeOf(() => applyDelta({ digest: sha256(''), state: before }, read))).toBe('malformed');
    expect(await codeOf(() => applyDelta({ digest, state: after }, read))).toBe('malformed');
    expect(await codeOf(() => applyDelta({ digest, state: before }, read))).toBe('read');
  });

  it('is refused, written or read, with more refs than allowed', async () => {
    const limits = { maxBytes: 1000, maxRefs: 3 };
    const digest = sha256(encodeSnapshot(before));
    const four = stateOf({ 'refs/heads/a': 1, 'refs/heads/b': 1, 'refs/heads/c': 1, 'refs/heads/d': 1 });
    const read = decodeSnapshot(encodeDelta(digest, before, stateOf({ ...Object.fromEntries([...before.refs.keys()].map((name) => [name, 9])), 'refs/x': 1 })));
    if (read.type !== 'delta') throw new Error('not a delta');

    expect(await codeOf(() => decodeSnapshot(encodeSnapshot(before, limits), limits))).toBe('read');
    expect(await codeOf(() => encodeSnapshot(four, limits))).toBe('too-many');
    expect(await codeOf(() => encodeDelta(digest, before, four, limits))).toBe('too-many');
    expect(await codeOf(() => decodeSnapshot(encodeSnapshot(four), limits))).toBe('too-many');
    expect(await codeOf(() => applyDelta({ digest, state: before }, read, limits))).toBe('too-many');
  });

  it('is refused, written or read, when it is larger than allowed', async () => {
    const bytes = encodeSnapshot(before);
    const [fits, less] = [0, 1].map((missing) => ({ maxBytes: bytes.length - missing, maxRefs: 3 }));

    expect(await codeOf(() => decodeSnapshot(encodeSnapshot(before, fits), fits))).toBe('read');
    expect(await codeOf(() => encodeSnapshot(before, less))).toBe('too-large');
    expect(await codeOf(() => encodeDelta(sha256(bytes), stateOf({}), before, less))).toBe('too-large');
    expect(await codeOf(() => decodeSnapshot(bytes, less))).toBe('too-large');
    expect(await codeOf(() => decodeSnapshot(new Uint8Array(256 * 2 ** 20 + 1)))).toBe('too-large');
  });
});
