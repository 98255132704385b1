import { describe, expect, it } from 'vitest';
import { type Ancestry, diffRefs, eventsOf, type ObjectId, parseObjectId } from './index.ts';

const id = (digit: string): ObjectId => {
  const parsed = parseObjectId(digit.repeat(40), 'sha1');
  if (parsed === undefined) throw new Error('the test is wrong');
  return parsed;
};
const refs = (entries: Readonly<Record<string, string>>) => ({ refs: new Map(Object.entries(entries).map(([name, digit]) => [name, id(digit)])) });
/** History: 1, then 2; 3 stands apart. */
const ancestry: Ancestry = { continues: (from, to) => from === id('1') && to === id('2'), wasGone: (ref) => ref === 'refs/heads/returned' };

describe('what became of refs', () => {
  it('is told of each that changed, by name', () => {
    const before = refs({ 'refs/heads/same': '1', 'refs/heads/main': '1', 'refs/heads/forced': '2', 'refs/heads/old': '1', 'refs/tags/v1': '1', HEAD: '1' });
    const after = refs({
      'refs/tags/v1': '2',
      'refs/heads/main': '2',
      'refs/heads/forced': '3',
      'refs/heads/new': '1',
      'refs/heads/returned': '1',
      'refs/heads/same': '1',
      HEAD: '2',
    });

    expect(eventsOf(diffRefs(before, after), ancestry)).toEqual([
      { event: 'advanced', ref: 'HEAD', from: id('1'), to: id('2') },
      { event: 'forced', ref: 'refs/heads/forced', from: id('2'), to: id('3') },
      { event: 'advanced', ref: 'refs/heads/main', from: id('1'), to: id('2') },
      { event: 'created', ref: 'refs/heads/new', to: id('1') },
      { event: 'deleted', ref: 'refs/heads/old', from: id('1') },
      { event: 'back', ref: 'refs/heads/returned', to: id('1') },
      { event: 'tag-moved', ref: 'refs/tags/v1', from: id('1'), to: id('2') },
    ]);
  });

  it('is nothing where nothing changed', () => {
    const state = refs({ 'refs/heads/main': '1' });

    expect(diffRefs(state, state)).toEqual([]);
  });

  it('asks history only of what changed and is no tag', () => {
    const asked: string[] = [];
    const curious: Ancestry = { wasGone: () => false, continues: (from, to) => asked.push(`${from[0]}${to[0]}`) > 0 };

    eventsOf(diffRefs(refs({ 'refs/heads/a': '1', 'refs/tags/t': '1' }), refs({ 'refs/heads/a': '2', 'refs/tags/t': '2', 'refs/heads/b': '3' })), curious);

    expect(asked).toEqual(['12']);
  });
});
