import { describe, expect, it } from 'vitest';
import { negotiateCoding, negotiateMediaType, remembered } from './negotiation.ts';

const offered = ['application/vnd.pypi.simple.v1+json', 'application/vnd.pypi.simple.v1+html', 'text/html'];
const [json, html, plain] = offered;

describe('the media type', () => {
  it.each([
    // pip
    ['application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01', json],
    // uv
    ['application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01', json],
    ['application/vnd.pypi.simple.v1+json;q=1, text/html;q=0.01', json],
    ['application/vnd.pypi.simple.v1+html;q=0.9, application/vnd.pypi.simple.v1+json;q=0.8', html],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', plain],
    ['*/*', plain],
    ['text/*', plain],
    ['', plain],
    [undefined, plain],
    ['application/vnd.pypi.simple.v1+json;q=0', undefined],
    ['application/vnd.pypi.simple.v1+json;q=0, */*', plain],
    ['text/html;q=0, */*;q=0.5', undefined],
    ['application/json', undefined],
    ['Application/VND.pypi.simple.v1+JSON ; Q=0.5', json],
  ])('for %s', (accept, expected) => {
    expect(negotiateMediaType(accept, offered)).toBe(expected);
  });
});

describe('the encoding', () => {
  it.each([
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0.1, gzip;q=0.2', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['identity;q=1, gzip;q=0.5', 'identity'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=nonsense', 'identity'],
    ['zstd', 'identity'],
    ['', 'identity'],
    [undefined, 'identity'],
  ])('for %s', (accepted, expected) => {
    expect(negotiateCoding(accepted)).toBe(expected);
  });
});

it('remembers a bounded number of answers', () => {
  let asked = 0;
  const count = remembered(() => (asked += 1), 2);

  for (const header of ['a', 'a', 'b', 'c', 'c', 'a']) count(header);

  expect(asked).toBe(4);
});
