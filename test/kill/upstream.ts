import { basename, join } from 'node:path';
import { openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { type Backend, type BuiltRelease, buildRelease, downloadWheels } from '../upstream/sample-projects.ts';

/** An upstream with two faces: what it had at first, and what it made of that. */
export interface ChangingUpstream extends AsyncDisposable {
  readonly index: string;
  readonly projects: readonly string[];
  show(face: 'first' | 'second'): void;
}

interface Listed {
  readonly project: string;
  readonly path: string;
  readonly uploadTime: string;
  readonly yanked?: string;
}
type Releases = (project: string, version: string, tree?: 'own' | 'other') => BuiltRelease;

/** What builds need is older than what is built with it. */
const OLDER = '2024-01-01T00:00:00Z';
const NEWER = '2024-02-01T00:00:00Z';
const NEWEST = '2024-03-01T00:00:00Z';
const BACKENDS: Readonly<Record<string, Backend>> = {
  alder: 'flit_core',
  birch: 'hatchling',
  cedar: 'setuptools',
  dogwood: 'poetry-core',
  elm: 'flit_core',
  fir: 'hatchling',
  ginkgo: 'setuptools',
  hazel: 'poetry-core',
};
const MORE = [
  ['ginkgo', '1.1'],
  ['hazel', '1.1'],
  ['fir', '2.0'],
] as const;
const BUILD_REQUIREMENTS = ['uv', 'flit_core>=3.11,<4', 'hatchling', 'setuptools>=77', 'poetry-core>=2', 'wheel'];

/**
 * Eight projects in four build backends, with the real backends and uv beside them. Then fir brings a new release, ginkgo yanks its newest,
 * hazel deletes it, and elm puts another wheel under a name that it used before. The wheel of dogwood was never built from its source.
 */
export async function openChangingUpstream(folder: string): Promise<ChangingUpstream> {
  const releases = await buildReleases(folder);
  const needed = await downloadWheels(join(folder, 'needed'), BUILD_REQUIREMENTS);
  const upstream = await openLoopbackUpstream();
  const listed = { first: firstFace(releases), second: secondFace(releases) };
  const shown = new Set<string>();
  return {
    index: upstream.index,
    projects: Object.keys(BACKENDS),
    show(face) {
      // In an order of its own: the same face has the same bytes each time.
      for (const fileName of shown) upstream.remove(fileName);
      for (const { path, project, uploadTime, yanked } of [...needed.map((wheel) => ({ ...wheel, uploadTime: OLDER, yanked: undefined })), ...listed[face]]) {
        upstream.publishPath(path, { project, uploadTime });
        shown.add(basename(path));
        if (yanked !== undefined) upstream.yank(basename(path), yanked);
      }
    },
    [Symbol.asyncDispose]: () => upstream.close(),
  };
}

async function buildReleases(folder: string): Promise<Releases> {
  const built = new Map<string, BuiltRelease>();
  const build = async (tree: 'own' | 'other', name: string, version: string) => {
    const dependencies = tree === 'other' || name === 'alder' ? ['birch'] : [];
    const backend = BACKENDS[name] ?? 'flit_core';
    built.set(`${tree} ${name} ${version}`, await buildRelease(join(folder, tree), { name, version, backend, dependencies }));
  };
  for (const name of Object.keys(BACKENDS)) await build('own', name, '1.0');
  for (const [name, version] of MORE) await build('own', name, version);
  for (const name of ['dogwood', 'elm']) await build('other', name, '1.0');
  return (project, version, tree = 'own') => {
    const release = built.get(`${tree} ${project} ${version}`);
    if (release === undefined) throw new Error(`the lane built no ${project} ${version} of its ${tree} tree`);
    return release;
  };
}

function firstFace(releases: Releases): readonly Listed[] {
  return [
    ...['alder', 'birch', 'cedar', 'elm', 'fir', 'ginkgo', 'hazel'].flatMap((name) => both(releases(name, '1.0'))),
    ...listing('dogwood', releases('dogwood', '1.0', 'other').wheel, releases('dogwood', '1.0').sdist),
    ...both(releases('ginkgo', '1.1')),
    ...both(releases('hazel', '1.1')),
  ];
}

function secondFace(releases: Releases): readonly Listed[] {
  const kept = firstFace(releases).filter(({ project, path }) => project !== 'elm' && !basename(path).startsWith('hazel-1.1'));
  return [
    ...kept.map((listed) => (basename(listed.path).startsWith('ginkgo-1.1') ? { ...listed, yanked: 'it was a mistake' } : listed)),
    ...listing('elm', releases('elm', '1.0', 'other').wheel, releases('elm', '1.0').sdist),
    ...both(releases('fir', '2.0')).map((listed) => ({ ...listed, uploadTime: NEWEST })),
  ];
}

function both({ project, wheel, sdist }: BuiltRelease): readonly Listed[] {
  return listing(project, wheel, sdist);
}

function listing(project: string, ...paths: readonly string[]): readonly Listed[] {
  return paths.map((path) => ({ project, path, uploadTime: NEWER }));
}
