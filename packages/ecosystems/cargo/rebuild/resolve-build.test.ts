import type { CurrentDocument } from '@granary/contract/ecosystem';
import { type Purl, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { packagePurl } from '../names.ts';
import { cargoIndex } from '../upstream.ts';
import { parseBuildRequirement } from './build-requirements.ts';
import { resolveBuild } from './resolve-build.ts';

interface Version {
  readonly vers: string;
  readonly pubtime?: string;
  readonly deps?: readonly object[];
  readonly features?: Readonly<Record<string, readonly string[]>>;
  readonly yanked?: boolean;
}
const dep = (name: string, more: object = {}) => ({ name, req: '^1', features: [], optional: false, default_features: true, kind: 'normal', ...more });
const CRATES: Readonly<Record<string, readonly Version[]>> = {
  oil: [
    { vers: '1.0.0', pubtime: '2023-01-01T00:00:00Z' },
    { vers: '1.1.0', pubtime: '2024-01-01T00:00:00Z', deps: [dep('wick'), dep('scent', { optional: true })], features: { warm: ['dep:scent'] } },
    { vers: '1.2.0', pubtime: '2024-02-01T00:00:00Z', yanked: true },
    { vers: '1.3.0', pubtime: '2025-01-01T00:00:00Z' },
  ],
  wick: [{ vers: '1.0.0' }, { vers: '1.1.0', pubtime: '2024-06-01T00:00:01Z' }],
  scent: [{ vers: '1.0.0', deps: [dep('lost')] }],
};
async function current(purl: Purl): Promise<CurrentDocument | undefined> {
  const [name, versions] = Object.entries(CRATES).find(([crate]) => packagePurl(crate) === purl) ?? [];
  if (name === undefined || versions === undefined) return undefined;
  const bytes = new TextEncoder().encode(
    versions.map((version) => JSON.stringify({ name, deps: [], features: {}, yanked: false, cksum: sha256(name + version.vers), ...version })).join('\n'),
  );
  const source = { url: `https://registry.example/${name}`, contentType: 'text/plain', package: purl };
  return { bytes, ...source, document: cargoIndex.parse(bytes, source) };
}
async function resolved(...requirements: readonly string[]): Promise<readonly string[] | string> {
  const resolution = await resolveBuild({ requirements, before: toInstant(Date.UTC(2024, 5, 1)) }, current);
  return resolution.ok ? resolution.pins.map(({ name, version }) => `${name} ${version}`).sort() : `${resolution.why}: ${resolution.detail}`;
}

describe('what packing may look up', () => {
  it('is what stood in the index by then: the newest, and beside what is yanked today, the newest of the others', async () => {
    expect(await resolved('oil ^1 [default]')).toEqual(['oil 1.1.0', 'oil 1.2.0', 'wick 1.0.0']);
  });

  it('follows the features that are asked for', async () => {
    expect(await resolved('oil ^1 [default warm]')).toEqual(['oil 1.1.0', 'oil 1.2.0', 'scent 1.0.0', 'wick 1.0.0']);
  });

  it('is what a lock names, and nothing of what that needs', async () => {
    expect(await resolved('oil@1.1.0')).toEqual(['oil 1.1.0']);
    expect(await resolved('oil@1.2.0', 'wick 1 []')).toEqual(['oil 1.2.0', 'wick 1.0.0']);
    expect(await resolved('oil@1.1.0', 'oil =1.1.0 [warm]')).toEqual(['oil 1.1.0', 'scent 1.0.0', 'wick 1.0.0']);
  });

  it('is more versions to choose from, where they are', async () => {
    expect(await resolved('oil@1.0.0?', 'oil@1.3.0?', 'lost@1.0.0?', 'wick 1 []')).toEqual(['oil 1.0.0', 'wick 1.0.0']);
  });

  it.each([
    ['oil@1.3.0', 'unavailable: upstream has no version of oil that =1.3.0 allows'],
    ['lost ^1 []', 'unavailable: upstream has no version of lost that ^1 allows'],
    ['oil', 'unavailable: oil: no requirement of a crate'],
  ])('%s is not to be had', async (requirement, said) => {
    expect(await resolved(requirement)).toBe(said);
  });
});

it.each(['', 'oil', 'oil 1', 'oil 1 [', 'oil x []', '../oil 1 []', 'oil@x', 'oil@1.0.0/..', 'a@1.0.0@1.0.0', 'a@1.0.0??', 'oil 1 [a] [b]'])(
  '%j is no requirement',
  (text) => {
    expect(parseBuildRequirement(text)).toBeUndefined();
  },
);
