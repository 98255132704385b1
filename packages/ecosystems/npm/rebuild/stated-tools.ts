import type { RebuildSubject } from '@granary/contract/ecosystem';
import { EcosystemError } from '@granary/contract/ecosystem';
import { purlParts } from '@granary/core/model';
import { validRange } from 'semver';
import { isVersion } from '../names.ts';
import { parsePackument } from '../packument.ts';
import { asObject, type RawManifest } from '../schema.ts';
import { lineNamed } from './node-lines.ts';
import { type SourceTree, within } from './source-tree.ts';

/** Which releases of a tool are meant, and who says so. */
export interface StatedTool {
  readonly range: string;
  readonly from: string;
}
export interface StatedTools {
  readonly node?: StatedTool;
  readonly npm?: StatedTool;
}

const MAX_FILE_BYTES = 256;
const MAX_RANGE_LENGTH = 200;
/** nvm's, and the one that other tools share. */
const VERSION_FILES = ['.nvmrc', '.node-version'];

/** What whoever published packed with, as npm tells the registry (`_nodeVersion`, `_npmVersion`); not all registries pass it on. */
export function toolsByRegistry({ index, target }: Pick<RebuildSubject, 'index' | 'target'>): StatedTools {
  const manifest = index === undefined ? undefined : manifestOf(index, purlParts(target.purl).version ?? '');
  const stated = (field: string): StatedTool | undefined => {
    const version = manifest?.[field];
    return typeof version === 'string' && isVersion(version) ? { range: version, from: `${field} in the registry's document` } : undefined;
  };
  return toolsOf(stated('_nodeVersion'), stated('_npmVersion'));
}

function manifestOf({ bytes, url }: NonNullable<RebuildSubject['index']>, version: string): RawManifest | undefined {
  try {
    return parsePackument(bytes, url).manifest(version);
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** What the nearest of these folders asks its developers to use: `.nvmrc`, `.node-version`, `volta` and `packageManager` of a package.json. */
export function toolsBySource(tree: SourceTree, folders: readonly string[]): StatedTools {
  const found = folders.map((folder) => toolsIn(tree, folder));
  return toolsOf(found.find(({ node }) => node !== undefined)?.node, found.find(({ npm }) => npm !== undefined)?.npm);
}

function toolsIn(tree: SourceTree, folder: string): StatedTools {
  const manifest = tree.manifest(folder);
  const volta = asObject(manifest['volta']) ?? {};
  const pinnedBy = (tool: string): StatedTool | undefined => {
    const version = volta[tool];
    return typeof version === 'string' && isVersion(version) ? { range: version, from: 'volta in package.json' } : undefined;
  };
  const { packageManager } = manifest;
  const [, npm = ''] = /^npm@([^+\s]{1,100})(?:\+|$)/.exec(typeof packageManager === 'string' ? packageManager : '') ?? [];
  const files = VERSION_FILES.flatMap((name) => {
    const range = rangeOf(tree.text(within(folder, name), MAX_FILE_BYTES) ?? '');
    return range === undefined ? [] : [{ range, from: name }];
  });
  return toolsOf(files[0] ?? pinnedBy('node'), isVersion(npm) ? { range: npm, from: 'packageManager in package.json' } : pinnedBy('npm'));
}

/** `v20.11.1`, `20`, `lts/iron`; undefined for what moves, such as `lts/*` and `node`. */
function rangeOf(text: string): string | undefined {
  const word = text.trim().toLowerCase();
  const named = /^lts\/([a-z]+)$/.exec(word)?.[1];
  if (named !== undefined) {
    const line = lineNamed(named);
    return line === undefined ? undefined : `^${line.major}`;
  }
  const [, version] = /^v?(\d{1,4}(?:\.\d{1,4}){0,2})$/.exec(word) ?? [];
  return version === undefined ? undefined : version.includes('.') ? version : `^${version}`;
}

/** What a package says of the Node it runs by (package.json, `engines`). */
export function enginesOf(manifest: RawManifest): string | undefined {
  const node = asObject(manifest['engines'])?.['node'];
  return typeof node === 'string' && node.length <= MAX_RANGE_LENGTH && validRange(node) !== null ? node : undefined;
}

function toolsOf(node: StatedTool | undefined, npm: StatedTool | undefined): StatedTools {
  return { ...(node === undefined ? {} : { node }), ...(npm === undefined ? {} : { npm }) };
}
