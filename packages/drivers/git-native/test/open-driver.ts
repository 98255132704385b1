import { memoryStore } from '@granary/contract/memory';
import type { BlobStore, LocalRepository, StoredPack } from '@granary/contract/ports';
import { onTestFinished } from 'vitest';
import { openRepositories, type RepositoriesOptions } from '../index.ts';
import { scratchFolder } from './scratch-folder.ts';

export const LIMITS = { maxBytes: 50_000_000, timeoutMs: 60_000 };

export interface OpenedDriver {
  readonly folder: string;
  readonly blobs: BlobStore;
  open(packs?: readonly StoredPack[], objectFormat?: 'sha1' | 'sha256', name?: string): Promise<LocalRepository>;
  close(): Promise<void>;
}

/** The driver on a folder and a store of its own, until the test is over. */
export async function openDriver(options: Partial<RepositoriesOptions> = {}): Promise<OpenedDriver> {
  const blobs = options.blobs ?? memoryStore().blobs;
  const folder = options.folder ?? (await scratchFolder());
  const repositories = await openRepositories({ maxBytes: 1_000_000_000, ...options, folder, blobs });
  const close = async (): Promise<void> => await repositories[Symbol.asyncDispose]();
  onTestFinished(close);
  return { folder, blobs, close, open: (packs = [], objectFormat = 'sha1', name = 'r') => repositories.open(name, { objectFormat, packs }) };
}
