import { describe, expect, it } from 'vitest';
import { mainArchive, parseAptSources } from './index.ts';

const oneLine = `
# deb http://registry.example/off clamp main
deb-src http://registry.example/debian clamp main
deb [arch=amd64 signed-by=/usr/share/keyrings/example.gpg] http://registry.example/debian clamp main contrib # the archive
deb http://registry.example/debian clamp-updates main
deb cdrom:[Example 1.0]/ clamp main
deb https://registry.example/third-party ./
`;
const deb822 = `
# made by the installer
Types: deb deb-src
URIs: http://one.registry.example/debian/
  http://two.registry.example/debian
Suites: clamp clamp-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://registry.example/off
Suites: clamp
Components: main

Types: deb-src
URIs: http://registry.example/source
Suites: clamp
Components: main
`;

describe('sources of apt', () => {
  it('are read one line each', () => {
    expect(parseAptSources([{ name: '/etc/apt/sources.list', text: oneLine }])).toEqual([
      { url: 'http://registry.example/debian/', suite: 'clamp', components: ['main', 'contrib'], signedBy: '/usr/share/keyrings/example.gpg' },
      { url: 'http://registry.example/debian/', suite: 'clamp-updates', components: ['main'] },
      { url: 'https://registry.example/third-party/', suite: './', components: [] },
    ]);
  });

  it('are read as stanzas', () => {
    const sources = parseAptSources([{ name: '/etc/apt/sources.list.d/example.sources', text: deb822 }]);

    expect(sources.map(({ url, suite }) => [url, suite])).toEqual([
      ['http://one.registry.example/debian/', 'clamp'],
      ['http://one.registry.example/debian/', 'clamp-updates'],
      ['http://two.registry.example/debian/', 'clamp'],
      ['http://two.registry.example/debian/', 'clamp-updates'],
    ]);
    expect(sources[0]?.signedBy).toBe('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----');
  });

  it('have one main archive, or none', () => {
    const sources = parseAptSources([{ name: '/etc/apt/sources.list', text: oneLine }]);

    expect(mainArchive(sources, 'clamp')?.components).toContain('contrib');
    expect(mainArchive(sources, 'vise')).toBeUndefined();
  });
});
