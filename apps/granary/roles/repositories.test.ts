import { toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { addressBy, parseUrlRules } from './repositories.ts';

it("reads a repository from where this machine's git would", () => {
  const rules = parseUrlRules(
    'url.http://127.0.0.1:3000/mirror/.insteadof\nhttps://forge.example/\0url.ssh://git@forge.example/.insteadof\nhttps://other.example/\0',
  );

  expect(addressBy(rules)(toPurl('pkg:git/forge.example/owner/name'))).toBe('http://127.0.0.1:3000/mirror/owner/name');
  expect(addressBy(rules)(toPurl('pkg:git/other.example/owner/name'))).toBe('https://other.example/owner/name');
});

it.each(['', 'url.https://a.example/.insteadof\n\0', 'core.bare\ntrue\0', 'url.https://a.example/'])('takes %j for no rule', (listed) => {
  expect(parseUrlRules(listed)).toEqual([]);
});
