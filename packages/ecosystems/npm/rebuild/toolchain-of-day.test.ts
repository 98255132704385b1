import type { RebuildSubject } from '@granary/contract/ecosystem';
import { toInstant } from '@granary/core/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSourceTree } from './source-tree.ts';
import { COMMITTED_SECONDS, type Files, subjectOf } from './test/small-commit.ts';
import { formatTool, parseTool } from './tool-requirement.ts';
import { toolchainOfDay } from './toolchain-of-day.ts';

function chosen(files: Files, more: Partial<RebuildSubject> = {}, folders: readonly string[] = ['']) {
  const subject = { ...subjectOf({ 'package.json': {}, ...files }), runtimeVersion: '26.1.0+npm.12.2.0', ...more };
  const tree = readSourceTree(subject.sourceBytes);
  return tree === undefined ? undefined : toolchainOfDay(subject, tree, folders);
}
const rangesOf = (files: Files, more: Partial<RebuildSubject> = {}, folders: readonly string[] = ['']) => {
  const tools = chosen(files, more, folders);
  return tools === undefined ? undefined : [tools.node.range, tools.npm.range];
};
const publishedAt = (text: string): Partial<RebuildSubject> => ({ target: { ...subjectOf({}).target, publishedAt: toInstant(Date.parse(text)) } });
function said(manifest: object): Partial<RebuildSubject> {
  const document = { name: 'box', versions: { '1.2.3': { name: 'box', version: '1.2.3', ...manifest } } };
  return { index: { bytes: new TextEncoder().encode(JSON.stringify(document)), url: 'https://registry.example/box' } };
}

describe('Node and npm of the day', () => {
  it('are those of the line that had long-term support', () => {
    expect(chosen({})).toEqual({
      asOf: '2024-06-01T00:00:00.000Z',
      node: { range: '^20', from: 'the line with long-term support on 2024-06-01' },
      npm: { range: '^10 <=10.7.0', from: 'the npm that came with Node ^20' },
    });
  });

  it('are those of the commit, where a registry dates it much later', () => {
    expect(chosen({}, publishedAt('2024-08-01T00:00:00Z'))?.asOf).toBe('2024-08-01T00:00:00.000Z');
    expect(chosen({}, publishedAt('2026-08-01T00:00:00Z'))?.asOf).toBe(new Date(COMMITTED_SECONDS * 1000).toISOString());
  });

  it('have the npm of then, also where a registry dates npm much later', () => {
    expect(rangesOf({}, publishedAt('2013-01-01T00:00:00Z'))).toEqual(['^4', '^2 || ^3']);
    expect(rangesOf({}, publishedAt('2019-05-25T00:00:00Z'))).toEqual(['^10', '^6 <=6.4.1']);
    expect(rangesOf({ '.nvmrc': '20' }, publishedAt('2023-05-01T00:00:00Z'))).toEqual(['^20', '^10']);
  });

  it('are those that the registry was told, and nothing else that stands there', () => {
    expect(rangesOf({ '.nvmrc': '18' }, said({ _nodeVersion: '16.3.0', _npmVersion: '7.15.1' }))).toEqual(['16.3.0', '7.15.1']);
    expect(rangesOf({}, said({ _nodeVersion: '16.3.0', _npmVersion: 'lerna/4.0.0/node@v16.3.0+x64 (linux)' }))).toEqual(['16.3.0', '^8 <=10.7.0']);
    expect(rangesOf({}, said({ _nodeVersion: '../../x', _npmVersion: 7 }))).toEqual(['^20', '^10 <=10.7.0']);
    expect(rangesOf({}, { index: { bytes: new TextEncoder().encode('{'), url: 'https://registry.example/box' } })).toEqual(['^20', '^10 <=10.7.0']);
  });

  it.each<[string, Files, readonly string[]]>([
    ['.nvmrc', { '.nvmrc': 'v18.17.1\n' }, ['18.17.1', '^8 <=10.7.0 || ^9 <=10.7.0 || ^10 <=10.7.0']],
    ['a line in .nvmrc', { '.nvmrc': '16' }, ['^16', '^8 <=10.7.0']],
    ['the name of a line', { '.nvmrc': 'lts/Gallium' }, ['^16', '^8 <=10.7.0']],
    ['.node-version', { '.node-version': '19.1', '.nvmrc': 'lts/*' }, ['19.1', '^8 <=10.7.0 || ^9 <=10.7.0']],
    ['volta', { 'package.json': { volta: { node: '14.21.3', npm: '8.1.0' } } }, ['14.21.3', '8.1.0']],
    ['packageManager', { 'package.json': { packageManager: 'npm@9.1.0+sha512.aa' } }, ['^20', '9.1.0']],
    ['engines', { 'package.json': { engines: { node: '>=8 <17' } } }, ['^16', '^8 <=10.7.0']],
    ['engines that all do for', { 'package.json': { engines: { node: '>=8' } } }, ['^20', '^10 <=10.7.0']],
    ['engines that none does for', { 'package.json': { engines: { node: '>=99' } } }, ['^20', '^10 <=10.7.0']],
    [
      'nothing that is a version',
      { '.nvmrc': '$(touch x)', 'package.json': { engines: { node: 7 }, volta: { node: '>1' }, packageManager: 7 } },
      ['^20', '^10 <=10.7.0'],
    ],
    ['an endless file', { '.nvmrc': `18${' '.repeat(300)}` }, ['^20', '^10 <=10.7.0']],
    ['an endless range', { 'package.json': { engines: { node: `<17${' '.repeat(300)}` } } }, ['^20', '^10 <=10.7.0']],
  ])('are those that the project asks for: %s', (_, files, ranges) => {
    expect(rangesOf(files)).toEqual(ranges);
  });

  it('are those of the nearest folder that asks', () => {
    expect(rangesOf({ 'packages/box/.nvmrc': '16', '.nvmrc': '18', 'package.json': { volta: { npm: '7.1.0' } } }, {}, ['packages/box', ''])).toEqual([
      '^16',
      '7.1.0',
    ]);
  });

  it('are nothing of their own where the root filesystem has them, or nobody knows the day', () => {
    const { publishedAt: _, ...undated } = subjectOf({}).target;

    expect(chosen({}, { runtimeVersion: '20.1.0+npm.10.2.0' })).toBeUndefined();
    expect(chosen({}, { target: undated })?.asOf).toBe(new Date(COMMITTED_SECONDS * 1000).toISOString());
  });
});

it('a tool is asked for as it is read', () => {
  const asOf = toInstant(Date.UTC(2024, 5, 1));
  for (const range of ['^8 || ^9', '20.11.1', '>=1 <2'])
    expect(parseTool(formatTool({ name: '@scope/tool', range, asOf }))).toEqual({ name: '@scope/tool', range, asOf });
  fc.assert(fc.property(fc.string(), (text) => void parseTool(text)));
  expect(parseTool('../x@1 alone, as of 2024-06-01T00:00:00.000Z')).toBeUndefined();
  expect(parseTool('x@file:../y alone, as of 2024-06-01T00:00:00.000Z')).toBeUndefined();
});
