import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hostsIn, knownHosts } from './known-hosts.ts';
import { ROOT, sourceFiles, textOf } from './source-tree.ts';

const texts = sourceFiles().map((path) => ({ path, text: textOf(path) ?? '' }));

describe('the tree', () => {
  it('names no host that a package manager of this machine uses: addresses are discovered', (context) => {
    const hosts = knownHosts();
    context.skip(hosts.length === 0, 'no package manager of this machine names a public host');

    const named = hosts.flatMap((host) => texts.filter(({ text }) => hasWord(text, host)).map(({ path }) => `${path}: ${host}`));

    expect(named).toEqual([]);
  });

  it('names no place of the machine it is worked on', () => {
    const places = [ROOT, homedir()].flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));

    expect(places.flatMap((place) => texts.filter(({ text }) => hasWord(text, place)).map(({ path }) => `${path}: ${place}`))).toEqual([]);
  });
});

describe('hostsIn', () => {
  it('finds hosts in what package managers print', () => {
    const text =
      'https://user:secret@npm.corp.acme.io/simple/ files.corp.acme.io\nsum.acme.dev\nhttps://a.acme.dev,direct\nURIs: http://deb.acme.net/debian\n# https://old.acme.net';

    expect(hostsIn(text)).toEqual(['a.acme.dev', 'deb.acme.net', 'files.corp.acme.io', 'npm.corp.acme.io', 'sum.acme.dev']);
  });

  it('leaves out loopback, reserved names and addresses', () => {
    expect(
      hostsIn('http://localhost:4873/ http://127.0.0.1:8080/ https://registry.example/ Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg'),
    ).toEqual([]);
  });
});

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!/[\w.-]/.test(text[at - 1] ?? ' ') && !/[\w-]/.test(text[at + word.length] ?? ' ')) return true;
  }
  return false;
}
