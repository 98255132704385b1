import { expect, it } from 'vitest';
import { parseNetrc } from './netrc.ts';

it('reads hosts, on one line or on several, and the first of each', () => {
  const text = 'machine one.example login me password secret\n\nmachine two.example\n  login you\n  password other\nmachine one.example login x password y\n';

  expect([...parseNetrc(text)]).toEqual([
    ['one.example', { login: 'me', password: 'secret' }],
    ['two.example', { login: 'you', password: 'other' }],
  ]);
});

it.each([
  ['nothing', ''],
  ['a default, which is for every host', 'default login me password secret'],
  ['a host without a password', 'machine one.example login me'],
  ['a comment', '# machine one.example login me password secret'],
  ['a macro', 'macdef init\nmachine one.example login me password secret\n'],
  ['a word too few', 'machine'],
])('takes nothing from %s', (_what, text) => {
  expect([...parseNetrc(text)]).toEqual([]);
});

it('goes on after a macro, and knows no host that is a name of an object', () => {
  const entries = parseNetrc('macdef init\nput x\n\nmachine __proto__ login a password b\nmachine two.example login c account d password e#f\n');

  expect([...entries]).toEqual([
    ['__proto__', { login: 'a', password: 'b' }],
    ['two.example', { login: 'c', password: 'e#f' }],
  ]);
});
