import { EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import type { SyncPorts } from './sync-ports.ts';

/** Absolute address of a file upstream. Throws EcosystemError `malformed` and UpstreamError. */
export type AddressOf = (artifact: UpstreamArtifact) => Promise<string>;

export interface FileAddressPorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'clock'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index'>;
  /** How long the document that tells is taken as current. */
  readonly maxAgeMs: number;
}

/** What the index says of a file; where another document of the upstream tells, that is read once for all files. */
export function openFileAddresses(ports: FileAddressPorts): AddressOf {
  const { files } = ports.ecosystem.index;
  if (files === undefined) return async ({ url }) => url;
  let known: { readonly at: number; readonly document: Promise<Uint8Array> } | undefined;
  return async (artifact) => {
    const now = Date.parse(ports.clock.now());
    if (known === undefined || now - known.at >= ports.maxAgeMs) known = { at: now, document: readDocument(ports, files) };
    const { document } = known;
    const bytes = await document.catch((error: unknown) => {
      // The next file asks again.
      if (known?.document === document) known = undefined;
      throw error;
    });
    return files.addressOf(artifact, bytes);
  };
}

async function readDocument({ upstream, upstreamBase }: FileAddressPorts, files: NonNullable<SyncPorts['ecosystem']['index']['files']>): Promise<Uint8Array> {
  const url = files.documentUrl(upstreamBase);
  const response = await upstream.open({ url, maxBytes: files.maxDocumentBytes });
  if (response.status !== 'ok') throw new EcosystemError('malformed', `${url}: upstream doesn't have what says where its files lie`);
  return Buffer.concat(await Array.fromAsync(response.body));
}
