import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npmCredentials } from './credentials.ts';

const INDEX = 'https://registry.example:8443/team/npm/';

describe('what npm shows a registry', () => {
  it.each([
    ['a token', '//registry.example:8443/team/npm/:_authToken=abc', 'Bearer abc'],
    ['a token of a place above', '//registry.example:8443/:_authToken = "abc"', 'Bearer abc'],
    ['the nearest place', '//registry.example:8443/:_authToken=far\n//registry.example:8443/team/npm/:_authToken=near', 'Bearer near'],
    ['the first of two files', '//registry.example:8443/:_authToken=project\n//registry.example:8443/:_authToken=user', 'Bearer project'],
    ['a user and a password', `//registry.example:8443/team/:_auth=${btoa('me:secret')}`, `Basic ${btoa('me:secret')}`],
    [
      'a user and a password, apart',
      `//registry.example:8443/:username=me\n//registry.example:8443/:_password=${btoa('secret')}`,
      `Basic ${btoa('me:secret')}`,
    ],
  ])('is %s', (_what, text, expected) => {
    expect(npmCredentials.parse(text, INDEX)).toBe(expected);
  });

  it.each([
    ['another host', '//other.example/:_authToken=abc'],
    ['the host on another port', '//registry.example/:_authToken=abc'],
    ['a place beside it', '//registry.example:8443/team/np/:_authToken=abc'],
    ['a comment', '; //registry.example:8443/:_authToken=abc'],
    ['no place', '_authToken=abc'],
    ['a name of an object', '__proto__=1\n//registry.example:8443/:__proto__=abc'],
    ['what no header can hold', '//registry.example:8443/:_authToken=a\u0001b'],
  ])('is nothing of %s', (_what, text) => {
    expect(npmCredentials.parse(text, INDEX)).toBeUndefined();
  });

  it('is read where npm reads it, with what the environment holds', () => {
    const home = mkdtempSync(join(tmpdir(), 'granary-npmrc-'));
    writeFileSync(join(home, '.npmrc'), '//registry.example:8443/:_authToken=$' + '{SECRET}-$' + '{ITSELF}\n');
    const [command, ...args] = npmCredentials.argv;

    const output = execFileSync(command, args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, SECRET: 'abc', ITSELF: '$' + '{ITSELF}' } });
    rmSync(home, { recursive: true });

    expect(npmCredentials.parse(output.toString(), INDEX)).toBe('Bearer abc-$' + '{ITSELF}');
  });
});
