import { open } from 'node:fs/promises';
import { type Config, ConfigError } from '@granary/config';
import type { AttestationVerifier } from '@granary/contract/ports';
import { openSigstoreAttestations } from '@granary/driver-attestations-sigstore';

/** The public one has a few thousand. */
const MAX_ROOT_BYTES = 2 ** 20;

/** By the roots of trust that the configuration names; undefined where it names none. Throws ConfigError where they can't be used. */
export async function openAttestations({ sigstore }: Pick<Config, 'sigstore'>): Promise<AttestationVerifier | undefined> {
  if (sigstore === undefined) return undefined;
  const bytes = await readRoot(sigstore.trustedRoot);
  const verifier = bytes.length > MAX_ROOT_BYTES ? undefined : openSigstoreAttestations(bytes);
  if (verifier !== undefined) return verifier;
  throw new ConfigError(
    `sigstore.trustedRoot: ${sigstore.trustedRoot} is no trusted root with a certificate authority, a certificate transparency log and a transparency log; name a trusted_root.json`,
  );
}

async function readRoot(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const bytes = Buffer.alloc(MAX_ROOT_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) ({ bytesRead: read } = await file.read(bytes, length));
    return bytes.subarray(0, length);
  } catch (cause) {
    throw new ConfigError(`sigstore.trustedRoot: ${path} can't be read; name an existing file`, { cause });
  }
}
