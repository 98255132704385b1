import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePurl, toPurl } from '../model/index.ts';
import { isRepositoryPurl, parseRepository, repositoryUrl } from './index.ts';

describe('the address of a repository', () => {
  it.each([
    'https://git.example/owner/name',
    'https://git.example/owner/name.git',
    'https://git.example/owner/name/',
    'https://git.example/owner/name.git/',
    'HTTPS://Git.EXAMPLE:443/owner/name',
    'https://git.example./owner/name',
    'https://user:secret@git.example/owner/name',
    ' https://git.example/owner/name\n',
    'https://git.example/owner/name#v1.2.3',
    'https://git.example/owner/name.git#semver:^1 || ^2'.replaceAll(' ', ''),
    'https://git.example/%6fwner/n%61me',
    'http://git.example/owner/name',
    'http://git.example:80/owner/name',
    'git+https://git.example/owner/name.git',
    'git+http://git.example/owner/name.git',
    'git://git.example/owner/name.git',
    'git://git.example:9418/owner/name.git',
    'ssh://git@git.example/owner/name.git',
    'ssh://git@git.example:2222/owner/name.git',
    'git+ssh://git@git.example/owner/name.git',
    'ssh+git://git@git.example/owner/name',
    'git+ssh://git@git.example:owner/name.git',
    'git@git.example:owner/name.git',
    'git@git.example:/owner/name.git',
    'git.example:owner/name',
    'scm:git:https://git.example/owner/name.git',
    'scm:git:git@git.example:owner/name.git',
  ])('%j is that of one repository', (text) => {
    expect(parseRepository(text)?.purl).toBe('pkg:git/git.example/owner/name');
  });

  it.each([
    ['https://git.example/name', 'pkg:git/git.example/name', 'https://git.example/name'],
    ['https://git.example/Owner/Name.git', 'pkg:git/git.example/Owner/Name', 'https://git.example/Owner/Name.git'],
    ['https://git.example:8443/a/b/c/d', 'pkg:git/git.example:8443/a/b/c/d', 'https://git.example:8443/a/b/c/d'],
    ['http://git.example:3000/a/b', 'pkg:git/git.example:3000/a/b', 'https://git.example:3000/a/b'],
    ['http://127.0.0.1:3000/a/b', 'pkg:git/127.0.0.1:3000/a/b', 'https://127.0.0.1:3000/a/b'],
    ['https://0x7f.1/a', 'pkg:git/127.0.0.1/a', 'https://127.0.0.1/a'],
    ['https://[::0001]:8080/a/b', 'pkg:git/%5B::1%5D:8080/a/b', 'https://[::1]:8080/a/b'],
    ['https://bücher.example/a/b', 'pkg:git/xn--bcher-kva.example/a/b', 'https://xn--bcher-kva.example/a/b'],
    ['https://git.example/~user/c++.git', 'pkg:git/git.example/~user/c%2B%2B', 'https://git.example/~user/c++.git'],
    ['https://git.example/org/My%20Project/_git/a@b', 'pkg:git/git.example/org/My%20Project/_git/a%40b', 'https://git.example/org/My%20Project/_git/a@b'],
    ['git@intranet:owner/name', 'pkg:git/intranet/owner/name', 'https://intranet/owner/name'],
    ['https://git.example/owner/name/tree/main/sub', 'pkg:git/git.example/owner/name/tree/main/sub', 'https://git.example/owner/name/tree/main/sub'],
  ])('%j becomes %s', (text, purl, url) => {
    expect(parseRepository(text)).toEqual({ purl, url });
    expect(parsePurl(purl)).toBe(purl);
    expect(repositoryUrl(toPurl(purl))).toBe(url.replace(/\.git$/, ''));
  });

  it.each([
    ['an option', '--upload-pack=touch x'],
    ['an option of ssh', 'ssh://-oProxyCommand=x/a/b'],
    ['an option of ssh in scp form', 'git@-oProxyCommand=x:a/b'],
    ['an option in the path', 'https://git.example/owner/--upload-pack=x'],
    ['a helper', 'ext::sh -c touch% x'],
    ['a helper with a host', 'git.example::owner/name'],
    ['a file', 'file:///srv/git/name'],
    ['a path', '/srv/git/name'],
    ['a relative path', '../name'],
    ['a drive', 'C:\\git\\name'],
    ['a shorthand', 'forge:owner/name'],
    ['a shorthand without a host', 'owner/name'],
    ['another scheme', 'ftp://git.example/owner/name'],
    ['a package URL', 'pkg:git/git.example/owner/name'],
    ['a query', 'https://git.example/?p=name.git'],
    ['no path', 'https://git.example/'],
    ['no name', 'https://git.example/owner/.git'],
    ['a name with two suffixes', 'https://git.example/owner/name.git.git'],
    ['no host', 'https:///owner/name'],
    ['one slash', 'https:/git.example/owner/name'],
    ['a port that is none', 'https://git.example:99999/owner/name'],
    ['a port that is a word', 'https://git.example:owner/name'],
    ['two users', 'https://a@b@git.example/owner/name'],
    ['a step back', 'https://git.example/owner/../name'],
    ['an encoded step back', 'https://git.example/owner/%2e%2E/name'],
    ['a step on the spot', 'https://git.example/./name'],
    ['an empty segment', 'https://git.example/owner//name'],
    ['an encoded slash', 'https://git.example/owner%2Fname'],
    ['an encoded backslash', 'https://git.example/owner%5Cname'],
    ['a backslash', 'https://git.example\\owner\\name'],
    ['something encoded twice', 'https://git.example/owner/%252e%252e'],
    ['an escape that is none', 'https://git.example/owner/%zz'],
    ['bytes that are not UTF-8', 'https://git.example/owner/%ff'],
    ['a NUL', 'https://git.example/owner/a%00b'],
    ['a line end', 'https://git.example/owner/a\nb'],
    ['a tab', 'https://git.example/ow\tner/name'],
    ['a blank at the end of a segment', 'https://git.example/owner/name%20'],
    ['letters that turn the text around', 'https://git.example/owner/a\u202egpj'],
    ['a lone surrogate', 'https://git.example/owner/\ud800'],
    ['too long a text', `https://git.example/owner/${'n'.repeat(2048)}`],
    ['too deep a path', `https://git.example/${'a/'.repeat(33)}`],
    ['a host with blanks', 'https://git example/owner/name'],
    ['nothing', ''],
  ])('is none with %s', (_, text) => {
    expect(parseRepository(text)).toBeUndefined();
  });

  it.each([
    'pkg:git/git.example/owner/name@v1',
    'pkg:git/git.example/owner/name?a=b',
    'pkg:git/git.example/owner/name#sub',
    'pkg:git/name',
    'pkg:git/Git.Example/owner/name',
    'pkg:git/git.example:443/owner/name',
    'pkg:git/git.example/owner/name.git',
    'pkg:git/git.example/owner/..',
    'pkg:git/git.example/owner/a%2Fb',
    'pkg:git/user%40git.example/owner/name',
    'pkg:npm/git.example/name',
  ])('is not that of %s', (text) => {
    const purl = toPurl(text);

    expect(isRepositoryPurl(purl)).toBe(false);
    expect(() => repositoryUrl(purl)).toThrow(RangeError);
  });

  it('comes back from its package URL, whatever stood in the path', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });

    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const repository = parseRepository(`https://git.example/${segments.map(encodeURIComponent).join('/')}`);
        if (repository === undefined) return;
        expect(isRepositoryPurl(repository.purl)).toBe(true);
        expect(parseRepository(repositoryUrl(repository.purl))?.purl).toBe(repository.purl);
        expect(parseRepository(repository.url)).toEqual(repository);
      }),
    );
  });

  it('is read or refused, whatever the text', () => {
    const piece = fc.constantFrom('https://', 'git@', 'git.example', ':', '/', '..', '%2f', '%', '#', '?', '@', '-', '[', ']', '.git', 'a', '::', '\\', ' ');

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const repository = parseRepository(pieces.join(''));
        if (repository !== undefined) expect([isRepositoryPurl(repository.purl), URL.canParse(repository.url)]).toEqual([true, true]);
      }),
    );
  });
});
