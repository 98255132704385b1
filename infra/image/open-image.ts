import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What of an image's configuration is looked at (OCI Image Format Specification, config.md). */
interface ImageConfig {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly environment: readonly string[];
  readonly created: string;
  readonly revision: string;
}
export interface OpenedImage {
  readonly config: ImageConfig;
  /** Digests of the compressed layers, lowest first. */
  readonly layers: readonly string[];
  /** Folder of the root filesystem. */
  readonly rootfs: string;
}

interface Document {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly layers?: readonly { readonly digest: string }[];
  readonly config?: {
    readonly digest?: string;
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Env?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly created?: string;
}

/** Unpacks an OCI archive of one image below a folder. Its layers only add: there are no whiteouts to follow. */
export function openImage(archive: string, folder: string): OpenedImage {
  const layout = join(folder, 'layout');
  const rootfs = join(folder, 'rootfs');
  for (const path of [layout, rootfs]) mkdirSync(path, { recursive: true });
  execFileSync('tar', ['--extract', '--file', archive, '--directory', layout]);
  const blob = (digest: string | undefined) => join(layout, 'blobs', (digest ?? '').replace(':', '/'));
  const read = (file: string): Document => JSON.parse(readFileSync(file, 'utf8'));
  const manifest = read(blob(read(join(layout, 'index.json')).manifests?.[0]?.digest));
  const { config, created = '' } = read(blob(manifest.config?.digest));
  const layers = (manifest.layers ?? []).map(({ digest }) => digest);
  for (const layer of layers)
    execFileSync('tar', ['--extract', '--gzip', '--file', blob(layer), '--directory', rootfs, '--numeric-owner', '--preserve-permissions']);
  return {
    config: {
      user: config?.User ?? '',
      entrypoint: config?.Entrypoint ?? [],
      environment: config?.Env ?? [],
      created,
      revision: config?.Labels?.['org.opencontainers.image.revision'] ?? '',
    },
    layers,
    rootfs,
  };
}
