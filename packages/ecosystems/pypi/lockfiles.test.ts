import { describe, expect, it } from 'vitest';
import { pypiDemand } from './demand.ts';
import { lockedByRequirements, lockedByUv } from './lockfiles.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

describe('requirements.txt', () => {
  it('is read over continued lines, with extras, markers and comments', () => {
    const text = `# made by a resolver\n--index-url https://registry.example/simple\nFlask[async]==3.0.3 ; python_version >= "3.8" \\\n    --hash=sha256:${a} \\\n    --hash=sha256:${b}\n    # via app\n`;

    expect(lockedByRequirements('requirements.txt', text)).toEqual({
      pins: [{ name: 'flask', version: '3.0.3', digests: [{ sha256: a }, { sha256: b }] }],
      notCovered: [],
    });
  });

  it('is found by its folder too', () => {
    expect(['requirements.txt', 'a/dev-requirements.txt', 'requirements/main.txt', 'a/requirements/main.txt'].every(pypiDemand.isLockfile)).toBe(true);
    expect(['requirements/a/main.txt', 'requirements/main.in', 'notes.txt'].some(pypiDemand.isLockfile)).toBe(false);
  });

  it('names what comes from an address of its own, and takes the rest', () => {
    const text = `--trusted-host registry.example\n--pre\nSix_Pack[x] @ https://files.example/six.tar.gz --hash=sha256:${a}\nsix==1.16.0 --hash=sha256:${b}\n`;

    expect(lockedByRequirements('requirements.txt', text)).toEqual({
      pins: [{ name: 'six', version: '1.16.0', digests: [{ sha256: b }] }],
      notCovered: ['six-pack: comes from an address, not from a registry'],
    });
  });

  it('is refused with its line when a requirement has no hash', () => {
    expect(() => lockedByRequirements('requirements.txt', `six==1.16.0 --hash=sha256:${a}\nflask>=3\n`)).toThrow(/requirements.txt:2: expected name==version/);
  });
});

describe('uv.lock', () => {
  it('leaves out the project itself', () => {
    const text = `version = 1\n[[package]]\nname = "app"\nversion = "0.1"\nsource = { virtual = "." }\n[[package]]\nname = "six"\nversion = "1.16.0"\nsource = { registry = "https://registry.example/simple" }\nsdist = { url = "x", hash = "sha256:${a}" }\nwheels = [{ url = "y", hash = "sha256:${b}" }]\n`;

    expect(lockedByUv('uv.lock', text)).toEqual({
      pins: [{ name: 'six', version: '1.16.0', digests: [{ sha256: a }, { sha256: b }] }],
      notCovered: [],
    });
  });

  it('says what comes from elsewhere, and takes the rest', () => {
    const text = `version = 1\n[[package]]\nname = "fork"\nversion = "0.1"\nsource = { git = "https://forge.example/fork" }\n[[package]]\nname = "six"\nversion = "1.16.0"\nsource = { registry = "https://registry.example/simple" }\nsdist = { url = "x", hash = "sha256:${a}" }\n`;

    expect(lockedByUv('uv.lock', text)).toEqual({
      pins: [{ name: 'six', version: '1.16.0', digests: [{ sha256: a }] }],
      notCovered: ['fork: comes from git, not from a registry'],
    });
  });

  it('says line and column when it is not TOML', () => {
    expect(() => lockedByUv('uv.lock', 'version = 1\n[[package')).toThrow(/uv\.lock:2:\d+: not TOML/);
  });
});

describe('a purl on the watch list', () => {
  const requirements = (text: string) => {
    const wish = pypiDemand.wishOfPurl(text);
    return wish?.type === 'requirements' ? wish.requirements : undefined;
  };

  it('means any version, one version or a range', () => {
    expect(requirements('pkg:pypi/Flask')).toEqual(['flask']);
    expect(requirements('pkg:pypi/flask@3.0.3')).toEqual(['flask==3.0.3']);
    expect(requirements('pkg:pypi/flask?vers=vers:pypi/>=3.0|<4')).toEqual(['flask>=3.0,<4']);
    expect(requirements('pkg:pypi/flask@^2.1')).toEqual(['flask>=2.1,<3']);
    expect(requirements('pkg:pypi/flask@^0.4.1')).toEqual(['flask>=0.4.1,<0.5']);
    expect(requirements('pkg:pypi/flask@^0.0')).toEqual(['flask>=0.0,<0.1']);
  });

  it('is refused when the range is none', () => {
    expect(() => requirements('pkg:pypi/flask?vers=^3')).toThrow(/expected a range/);
  });
});
