import type { CurrentDocument } from '@granary/contract/ecosystem';
import { type Purl, sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { packagePurl } from './names.ts';
import { parseRequirement } from './requirement.ts';
import { resolveRequirements } from './resolve.ts';
import { cargoIndex } from './upstream.ts';

interface Version {
  readonly vers: string;
  readonly deps?: readonly object[];
  readonly features?: Readonly<Record<string, readonly string[]>>;
  readonly features2?: Readonly<Record<string, readonly string[]>>;
  readonly yanked?: boolean;
}
const dep = (name: string, req: string, more: object = {}) => ({ name, req, features: [], optional: false, default_features: true, kind: 'normal', ...more });

function upstreamOf(crates: Readonly<Record<string, readonly Version[]>>): (packagePurl: Purl) => Promise<CurrentDocument | undefined> {
  const documents = new Map(
    Object.entries(crates).map(([name, versions]) => {
      const lines = versions.map((version) => JSON.stringify({ name, deps: [], features: {}, yanked: false, cksum: sha256(name + version.vers), ...version }));
      const source = { url: `https://registry.example/${name}`, contentType: 'text/plain', package: packagePurl(name) };
      const bytes = new TextEncoder().encode(lines.join('\n'));
      return [source.package as string, { bytes, ...source, document: cargoIndex.parse(bytes, source) }];
    }),
  );
  return async (purl) => documents.get(purl);
}
async function resolved(crates: Readonly<Record<string, readonly Version[]>>, ...requirements: string[]): Promise<readonly string[] | string> {
  const resolution = await resolveRequirements(requirements, upstreamOf(crates));
  return resolution.ok
    ? [...resolution.pins.map(({ name, version }) => `${name} ${version}`), ...(resolution.notCovered ?? []).map((line) => `! ${line}`)].sort()
    : resolution.detail;
}

describe('resolving', () => {
  it('takes the newest that each requirement allows, and one of each incompatible range', async () => {
    const crates = {
      app: [{ vers: '1.0.0', deps: [dep('mid', '1'), dep('leaf', '0.3'), dep('leaf', '=1.1.0', { kind: 'build' })] }],
      mid: [{ vers: '1.0.0', deps: [dep('leaf', '>=1, <3')] }, { vers: '2.0.0' }],
      leaf: [
        { vers: '0.3.1' },
        { vers: '0.3.9', yanked: true },
        { vers: '1.1.0' },
        { vers: '1.2.0' },
        { vers: '2.9.0' },
        { vers: '2.10.0' },
        { vers: '2.11.0-rc.1' },
      ],
    };

    expect(await resolved(crates, 'app ^1')).toEqual(['app 1.0.0', 'leaf 0.3.1', 'leaf 1.1.0', 'leaf 2.10.0', 'mid 1.0.0']);
  });

  it('follows features, renamed crates and weak ones; not what only development needs', async () => {
    const optional = { optional: true, default_features: false };
    const crates = {
      app: [{ vers: '1.0.0', deps: [dep('mid', '1', { features: ['net'], default_features: false }), dep('dev', '1', { kind: 'dev' })] }],
      mid: [
        {
          vers: '1.0.0',
          deps: [dep('tls', '1', optional), dep('renamed', '1', { ...optional, package: 'socket' }), dep('unused', '1', optional), dep('base', '1', optional)],
          features: { default: ['unused'], net: ['tls/ring', 'renamed'] },
          features2: { tls: ['dep:tls', 'base?/std'] },
        },
      ],
      tls: [{ vers: '1.0.0', deps: [dep('ring', '1', optional), dep('extra', '1', optional)] }],
      socket: [{ vers: '1.0.0' }],
      ring: [{ vers: '1.0.0' }],
      base: [{ vers: '1.0.0' }],
      unused: [{ vers: '1.0.0' }],
      extra: [{ vers: '1.0.0' }],
      dev: [{ vers: '1.0.0' }],
    };

    expect(await resolved(crates, 'app ^1')).toEqual(['app 1.0.0', 'base 1.0.0', 'mid 1.0.0', 'ring 1.0.0', 'socket 1.0.0', 'tls 1.0.0']);
    expect(await resolved(crates, 'mid *')).toContain('unused 1.0.0');
  });

  it('comes to an end where crates need each other', async () => {
    const crates = {
      egg: [{ vers: '1.0.0', deps: [dep('hen', '1')] }],
      hen: [{ vers: '1.0.0', deps: [dep('egg', '1', { features: ['x'] })], features: { x: [] } }],
    };

    expect(await resolved(crates, 'egg *')).toEqual(['egg 1.0.0', 'hen 1.0.0']);
  });

  it('takes a yanked version only when it is wanted by its own number', async () => {
    const crates = { leaf: [{ vers: '1.0.0', yanked: true }] };

    expect(await resolved(crates, 'leaf =1.0.0')).toEqual(['leaf 1.0.0']);
    expect(await resolved(crates, 'leaf ^1')).toBe('upstream has no version of leaf that ^1 allows');
  });

  it('says what a version needs and cannot be had', async () => {
    const crates = { app: [{ vers: '1.0.0', deps: [dep('gone', '1'), dep('private', '1', { registry: 'https://other.example/' }), dep('../x', 'latest')] }] };

    expect(await resolved(crates, 'app *')).toEqual([
      '! app 1.0.0 needs ../x latest: upstream has no version that it allows',
      '! app 1.0.0 needs gone 1: upstream has no version that it allows',
      '! app 1.0.0 needs private 1: it comes from another registry',
      'app 1.0.0',
    ]);
  });

  it('is not led astray by names that objects have by themselves', async () => {
    const crates = {
      app: [
        { vers: '1.0.0', deps: [dep('constructor', '1', { optional: true })], features: { ['__proto__']: ['constructor'], toString: ['dep:constructor'] } },
      ],
    };

    expect(await resolved(crates, 'app *')).toContain('app 1.0.0');
  });
});

describe('a requirement', () => {
  // The Cargo book, specifying dependencies: version requirement syntax.
  it.each([
    ['1.2.3', '1.9.0', true],
    ['1.2.3', '2.0.0', false],
    ['0.2.3', '0.3.0', false],
    ['0.0.3', '0.0.4', false],
    ['0', '0.9.9', true],
    ['~1.2.3', '1.3.0', false],
    ['~1', '1.9.0', true],
    ['*', '3.2.1', true],
    ['*', '3.2.1-rc.1', false],
    ['1.*', '1.9.0', true],
    ['1.2.*', '1.3.0', false],
    ['=1.2', '1.2.9', true],
    ['=1.2', '1.3.0', false],
    ['>1.2', '1.2.9', false],
    ['<=1.2', '1.2.9', true],
    ['>= 1.2, < 1.5', '1.4.9', true],
    ['>= 1.2, < 1.5', '1.5.0', false],
    ['1.0.0-alpha.1', '1.0.0-alpha.2', true],
    ['1.0.0', '1.0.1-alpha', false],
    ['=1.0.0', '1.0.0+linux', true],
  ])('%s against %s: %s', (requirement, version, allowed) => {
    expect(parseRequirement(requirement)?.test(version)).toBe(allowed);
  });

  it.each(['', 'latest', '1 || 2', '1 - 2', '1.2.3.4', '>', `${'1,'.repeat(40)}1`, '1'.repeat(400)])('%j is none', (text) => {
    expect(parseRequirement(text)).toBeUndefined();
  });
});
