import { describe, expect, it } from 'vitest';
import { lanesOf } from '../runner/lanes.ts';
import { ROOT, sourceFiles, textOf } from './source-tree.ts';
import { declaredBy, workspacePackages } from './workspace-packages.ts';

const packages = workspacePackages();
const files = sourceFiles();

describe('every package.json', () => {
  it('is private, EUPL-1.2 and ESM, and says what it exports', () => {
    const wrong = packages.filter(({ folder, manifest }) => {
      const isWhole = manifest.private === true && manifest.license === 'EUPL-1.2' && manifest.type === 'module';
      return !isWhole || (folder !== '' && manifest.exports === undefined);
    });

    expect(wrong.map(({ folder }) => folder)).toEqual([]);
  });

  it('pins every dependency exactly, or names one of the workspace', () => {
    const loose = packages.flatMap(({ folder, manifest }) =>
      Object.entries(declaredBy(manifest))
        .filter(([, version]) => version !== 'workspace:*' && !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${folder}: ${name} ${version}`),
    );

    expect(loose).toEqual([]);
  });

  it('pins one version of a dependency for the whole tree', () => {
    const versions = new Map<string, Set<string>>();
    for (const { manifest } of packages) {
      for (const [name, version] of Object.entries(declaredBy(manifest))) versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }

    expect([...versions].filter(([, pinned]) => pinned.size > 1).map(([name, pinned]) => `${name}: ${[...pinned].join(', ')}`)).toEqual([]);
  });

  it('of packages/ has a README beside it that says what the package promises', () => {
    const silent = packages.filter(({ folder }) => folder.startsWith('packages/') && !files.includes(`${folder}/README.md`));

    expect(silent.map(({ folder }) => folder)).toEqual([]);
  });
});

describe('the commands', () => {
  it('of the README and of package.json are the same heavy lanes and benchmarks', async () => {
    const scripts = Object.keys(packages.find(({ folder }) => folder === '')?.manifest.scripts ?? {});
    const named = (await lanesOf(ROOT)).map(({ command }) => command);

    expect(named.toSorted()).toEqual(
      scripts
        .filter((name) => /^(lane|bench):/.test(name))
        .map((name) => `npm run ${name}`)
        .toSorted(),
    );
  });

  it('of package.json cover every heavy lane that lies in the tree', () => {
    const scripts = Object.values(packages.find(({ folder }) => folder === '')?.manifest.scripts ?? {});
    const lanes = files.filter((path) => path.endsWith('.lane.ts'));

    expect(lanes.filter((path) => !scripts.some((script) => script.includes(path)))).toEqual([]);
  });

  it('of CI is `npm test` and nothing else', () => {
    expect(textOf('.ci/run')).toBe('#!/bin/sh\nexec npm test\n');
  });
});

describe('the tree', () => {
  it('has no drawer for odds and ends', () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(path))).toEqual([]);
  });

  it('has no unfinished work in it', () => {
    const marks = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['not ', 'implemented'].join('')})\\b`);

    expect(files.filter((path) => /\.(ts|mjs|sh)$/.test(path) && marks.test(textOf(path) ?? ''))).toEqual([]);
  });
});
