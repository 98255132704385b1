import { zipBytes } from '@granary/core/test';
import { describe, expect, it } from 'vitest';
import { hashGoMod, hashZip } from './dirhash.ts';

const PREFIX = 'mod.example/lamp@v1.0.0/';
const GO_MOD = 'module mod.example/lamp\n\ngo 1.21\n';

// Made by golang.org/x/mod/sumdb/dirhash.
describe('as golang.org/x/mod has it, the hash', () => {
  it('of a go.mod', () => {
    expect(hashGoMod(new TextEncoder().encode(GO_MOD))).toBe('h1:gB9Y/b/7ALLsfg4o7g08uDS4ushgEtpoVF2mzAD/WvE=');
  });

  it('of a module zip, whatever the order of its files', async () => {
    const parts = [
      { name: `${PREFIX}lamp.go`, data: 'package lamp\n' },
      { name: `${PREFIX}ä.txt`, data: 'umlaut\n', flags: 0x800 },
      { name: `${PREFIX}go.mod`, data: GO_MOD },
      { name: `${PREFIX}a/b.txt`, data: '' },
      { name: `${PREFIX}Zebra.go`, data: 'package lamp\n\nconst Stripes = 3\n' },
    ];

    expect(await hashZip(zipBytes(parts), PREFIX)).toBe('h1:U7G+NIsPbcz5x3N3hKTttK3mXRFLfG8Ngoo0/u8cG3A=');
  });
});

describe('a zip is refused', () => {
  it.each([
    ['with a file beside the module', [{ name: 'mod.example/lamp@v1.0.1/go.mod', data: '' }]],
    [
      'with a file twice',
      [
        { name: `${PREFIX}go.mod`, data: '1' },
        { name: `${PREFIX}go.mod`, data: '2' },
      ],
    ],
    ['that leads elsewhere', [{ name: `${PREFIX}../../etc/passwd`, data: '' }]],
    ['with a link', [{ name: `${PREFIX}link`, data: '/etc/passwd', mode: 0o120777, createSystem: 3 }]],
  ])('%s', async (_, parts) => {
    await expect(hashZip(zipBytes(parts), PREFIX)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('that is none', async () => {
    await expect(hashZip(new TextEncoder().encode('not a zip'), PREFIX)).rejects.toMatchObject({ code: 'malformed' });
  });
});
