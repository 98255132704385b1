import { EcosystemError } from '@granary/contract/ecosystem';
import { toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { npmDemand } from './demand.ts';

describe('a purl', () => {
  it.each([
    ['pkg:npm/express', 'express@*'],
    ['pkg:npm/express@4.18.2', 'express@4.18.2'],
    ['pkg:npm/express@^5', 'express@^5'],
    ['pkg:npm/express@next', 'express@next'],
    ['pkg:npm/%40types/node@%5E20', '@types/node@^20'],
    ['pkg:npm/@types/node@>=18 <20', '@types/node@>=18 <20'],
    ['pkg:npm/JSONStream@1.3.5', 'JSONStream@1.3.5'],
    ['pkg:npm/express?vers=vers:npm/%3E%3D5.0.0|%3C6.0.0', 'express@>=5.0.0 <6.0.0'],
    ['pkg:npm/express?vers=vers:npm/4.18.2', 'express@4.18.2'],
    ['pkg:npm/express?vers=vers:npm/*', 'express@*'],
    ['pkg:npm/express?vers=vers:npm/>=4.0.0|!=4.1.0|<5.0.0|>=6.0.0', 'express@>=4.0.0 <4.1.0 || >4.1.0 <5.0.0 || >=6.0.0'],
    ['pkg:npm/express?vers=vers:npm/<2.0.0|2.5.0', 'express@<2.0.0 || 2.5.0'],
    ['pkg:npm/express?vers=vers:npm/!=2.5.0', 'express@<2.5.0 || >2.5.0'],
  ])('%s asks for %s', (text, requirement) => {
    expect(npmDemand.wishOfPurl(text)).toEqual({ type: 'requirements', label: text, requirements: [requirement] });
  });

  it.each([
    'pkg:npm/',
    'pkg:npm/..',
    'pkg:npm/a/b',
    'pkg:npm/express@git+ssh://x/y',
    'pkg:npm/express@file:..',
    'pkg:npm/express@^5?vers=vers:npm/5.0.0',
    'pkg:npm/express?vers=vers:pypi/1.0',
    'pkg:npm/express?vers=vers:npm/>=1',
    'pkg:npm/%ff',
  ])('%s is refused', (text) => {
    expect(() => npmDemand.wishOfPurl(text)).toThrow(EcosystemError);
  });

  it('of another ecosystem is none of ours', () => {
    expect(npmDemand.wishOfPurl('pkg:pypi/flask')).toBeUndefined();
  });
});

it('reads the release that an SBOM names', () => {
  expect(npmDemand.pinOfPurl(toPurl('pkg:npm/%40types/node@20.1.0'))).toEqual({ name: '@types/node', version: '20.1.0' });
  expect(npmDemand.pinOfPurl(toPurl('pkg:npm/express'))).toBeUndefined();
  expect(npmDemand.pinOfPurl(toPurl('pkg:pypi/flask@1.0'))).toBeUndefined();
});

it.each([
  ['package-lock.json', true],
  ['app/npm-shrinkwrap.json', true],
  ['pnpm-lock.yaml', true],
  ['web/yarn.lock', true],
  ['package.json', false],
  ['my-yarn.lock', false],
])('%s is a lock: %s', (fileName, expected) => {
  expect(npmDemand.isLockfile(fileName)).toBe(expected);
});

it('refuses a lock that it does not know', () => {
  expect(() => npmDemand.wishOfLockfile('bun.lock', new Uint8Array())).toThrow(/expected package-lock\.json/);
});
