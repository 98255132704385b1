import { afterAll, expect, it } from 'vitest';
import { rewriteUrl, type UrlRule } from './index.ts';
import { gitFolder } from './test/index.ts';

const folder = gitFolder('git init -q .');
afterAll(() => folder[Symbol.dispose]());

const rules: readonly UrlRule[] = [
  { base: 'https://mirror.example/all/', insteadOf: 'https://' },
  { base: 'http://127.0.0.1:8080/', insteadOf: 'https://git.example/' },
  { base: 'https://first.example/', insteadOf: 'https://git.example/owner/' },
  { base: 'https://second.example/', insteadOf: 'https://git.example/owner/' },
];

it.each([
  ['https://git.example/owner/name', 'https://first.example/name'],
  ['https://git.example/other/name.git', 'http://127.0.0.1:8080/other/name.git'],
  ['https://forge.example/a/b', 'https://mirror.example/all/forge.example/a/b'],
  ['https://git.example', 'https://mirror.example/all/git.example'],
  ['ssh://git.example/a', 'ssh://git.example/a'],
])('turns %s into %s, as git does', (url, expected) => {
  const options = rules.map(({ base, insteadOf }) => `-c url.${base}.insteadOf=${insteadOf}`).join(' ');

  expect(rewriteUrl(url, rules)).toBe(expected);
  expect(folder.sh(`git ${options} ls-remote --get-url ${url}`).toString().trim()).toBe(expected);
});

it('leaves an address alone without rules', () => {
  expect(rewriteUrl('https://git.example/a', [])).toBe('https://git.example/a');
});
