import { EcosystemError } from '@granary/contract/ecosystem';
import { ArchiveError, readSafeEntries } from '@granary/core/archive';
import { parseObject, type RawManifest } from '../schema.ts';

/** The files of a commit. Untrusted. */
export interface SourceTree {
  has(path: string): boolean;
  /** Undefined where there is no such file, or a larger one. */
  text(path: string, maxBytes: number): string | undefined;
  /** The package.json of a folder; empty where there is none that can be read. */
  manifest(folder: string): RawManifest;
  /** Seconds since 1970 that every file of it has; undefined where it has none. */
  readonly committedAt: number | undefined;
}

const MAX_MANIFEST_BYTES = 2 ** 20;

/** Of the tar that a commit's tree becomes; undefined where that can't be read. */
export function readSourceTree(tar: Uint8Array): SourceTree | undefined {
  const entries = readEntries(tar);
  if (entries === undefined) return undefined;
  const files = new Map(entries.filter(({ type }) => type === 'file').map((entry) => [entry.path, entry.content]));
  const text = (path: string, maxBytes: number): string | undefined => {
    const content = files.get(path);
    return content === undefined || content.sizeBytes > maxBytes ? undefined : new TextDecoder().decode(content.read());
  };
  return {
    has: (path) => files.has(path),
    text,
    manifest: (folder) => readManifest(text(within(folder, 'package.json'), MAX_MANIFEST_BYTES)),
    committedAt: entries[0]?.header.mtime,
  };
}

export function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function readEntries(tar: Uint8Array): ReturnType<typeof readSafeEntries>['entries'] | undefined {
  try {
    return readSafeEntries(tar).entries;
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

function readManifest(text: string | undefined): RawManifest {
  if (text === undefined) return {};
  try {
    return parseObject(new TextEncoder().encode(text), 'package.json');
  } catch (error) {
    if (error instanceof EcosystemError) return {};
    throw error;
  }
}
