import type { LookupFunction } from 'node:net';
import { UpstreamError } from '@granary/contract/ports';
import { expect, it } from 'vitest';
import { guardedLookup, isPublicAddress } from './address-guard.ts';

it.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '240.0.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'x',
])('does not take %s for public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

it.each(['9.9.9.9', '2620:fe::fe', '::ffff:9.9.9.9'])('takes %s for public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

const lookup = (resolve: LookupFunction, all: boolean) =>
  new Promise((done, fail) => {
    guardedLookup(resolve)('files.registry.example', { all }, (error, address) => (error === null ? done(address) : fail(error)));
  });

it('connects to what it checked, though the name resolves otherwise a moment later', async () => {
  const answers = ['9.9.9.9', '127.0.0.1'];
  const rebinding: LookupFunction = (_, __, callback) => callback(null, [{ address: answers.shift() ?? '', family: 4 }]);

  await expect(lookup(rebinding, false)).resolves.toBe('9.9.9.9');
  await expect(lookup(rebinding, false)).rejects.toBeInstanceOf(UpstreamError);
});

it('leaves out the private ones among several addresses', async () => {
  const mixed: LookupFunction = (_, __, callback) =>
    callback(null, [
      { address: '10.0.0.1', family: 4 },
      { address: '9.9.9.9', family: 4 },
    ]);

  await expect(lookup(mixed, true)).resolves.toEqual([{ address: '9.9.9.9', family: 4 }]);
});
