import { expect, it } from 'vitest';
import { releaseTags } from './release-tags.ts';

const tags = (...names: readonly string[]) => names.map((name) => `refs/tags/${name}`);

it.each([
  ['v1.2.3', 'bare'],
  ['1.2.3', 'bare'],
  ['release-1.2.3', 'bare'],
  ['releases/v1.2.3', 'bare'],
  ['rel_1_2_3', 'bare'],
  ['lamp@1.2.3', 'package'],
  ['lamp-v1.2.3', 'package'],
  ['lamp/v1.2.3', 'package'],
  ['@house/lamp@1.2.3', 'package'],
  ['house-lamp-1.2.3', 'package'],
  ['house/v1.2.3', 'part'],
  ['candle@1.2.3', 'other'],
  ['1.2.3-npm', 'other'],
])('reads %s as a tag of the release: %s', (tag, fit) => {
  expect(releaseTags(tags(tag), { aliases: ['@house/lamp', 'lamp'], versions: ['1.2.3'] })).toEqual([{ ref: `refs/tags/${tag}`, fit }]);
});

it.each(['v11.2.3', 'v1.2.30', 'v1.2.3.4', '0.1.2.3', 'v1.2.3-rc.1', 'v1.2.3rc1', 'v1.2.3-beta', 'v1.2', 'v1.2.3-next.4'])(
  'takes %s for another release',
  (tag) => {
    expect(releaseTags(tags(tag), { aliases: ['lamp'], versions: ['1.2.3'] })).toEqual([]);
  },
);

it('takes the package before a part of its name, that before nothing, and nothing before something else', () => {
  const refs = [...tags('candle-2.0.0', 'v2.0.0', 'house-2.0.0', 'lamp-2.0.0'), 'refs/heads/2.0.0'];

  expect(releaseTags(refs, { aliases: ['@house/lamp', 'lamp'], versions: ['2.0.0'] }).map(({ ref }) => ref)).toEqual(
    tags('lamp-2.0.0', 'house-2.0.0', 'v2.0.0', 'candle-2.0.0'),
  );
});

it('knows other spellings of a version, and a version that has signs of its own', () => {
  expect(releaseTags(tags('2026.04.22', 'v1.0.0+build.5'), { aliases: [], versions: ['2026.4.22', '2026.04.22'] })).toHaveLength(1);
  expect(releaseTags(tags('v1.0.0+build.5', 'v1x0y0'), { aliases: [], versions: ['1.0.0+build.5'] })).toHaveLength(1);
});

it('gives a dozen of thousands, in no more time than it takes to read them', () => {
  const refs = tags(...Array.from({ length: 20_000 }, (_, at) => `${'a-'.repeat(100)}${at}-1.0.0`));

  expect(releaseTags(refs, { aliases: ['lamp'], versions: ['1.0.0'] })).toHaveLength(12);
});
