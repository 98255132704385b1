import type { Instant } from '@granary/core/model';
import { type Key, readCleartextMessage, readKeys, verify } from 'openpgp';
import { DebError } from './deb-error.ts';

/** A keyring as apt has it: binary, or armoured. */
export type Keyring = Uint8Array;

export interface SignedText {
  /** What was signed, and nothing else of the file. */
  readonly text: string;
  /** Fingerprints of the primary keys whose signatures hold, in upper-case hexadecimal, sorted. */
  readonly signedBy: readonly string[];
}

/**
 * Checks the clear-text signatures of an InRelease file (RFC 9580 section 7) against the keyrings. One that holds is enough, as for apt:
 * archives sign with their next key as well, which not every keyring has yet. `at` is when the file was fetched.
 * Throws DebError `unsigned`. Untrusted input.
 */
export async function openSignedRelease(bytes: Uint8Array, keyrings: readonly Keyring[], at: Instant): Promise<SignedText> {
  const keys = await readKeyrings(keyrings);
  const message = await readCleartextMessage({ cleartextMessage: soleMessage(bytes) }).catch((cause: unknown) => {
    throw new DebError('unsigned', 'InRelease: not a clear-text signed message', { cause });
  });
  const { signatures } = await verify({ message, verificationKeys: [...keys], date: new Date(at) });
  const checked = await Promise.all(
    signatures.map(async ({ keyID, verified }) => {
      const holds = await verified.then(
        () => true,
        () => false,
      );
      return holds
        ? keys
            .find((key) => key.getKeys(keyID).length > 0)
            ?.getFingerprint()
            .toUpperCase()
        : undefined;
    }),
  );
  const signedBy = [...new Set(checked.filter((fingerprint) => fingerprint !== undefined))].sort();
  if (signedBy.length === 0) {
    const asked = signatures.map(({ keyID }) => keyID.toHex().toUpperCase()).join(', ');
    throw new DebError('unsigned', `InRelease: none of its signatures (${asked || 'it has none'}) holds by a key of the keyring`);
  }
  return { text: message.getText(), signedBy };
}

/** Text around the signed part, or a second part, would be read by some and not by others: there must be none. */
function soleMessage(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  const starts = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n/.test(text) && /-----END PGP SIGNATURE-----\s*$/.test(text);
  // Lines of the signed text that start with a dash are escaped (RFC 9580 7.2), so these are armour.
  const armour = text.match(/^-----.*$/gm) ?? [];
  if (!starts || armour.length !== 3) throw new DebError('unsigned', 'InRelease: not one signed message and nothing else');
  return text;
}

async function readKeyrings(keyrings: readonly Keyring[]): Promise<readonly Key[]> {
  const keys = await Promise.all(
    keyrings.map((bytes) => {
      const isArmoured = new TextDecoder('latin1').decode(bytes.subarray(0, 200)).includes('-----BEGIN PGP');
      return isArmoured ? readKeys({ armoredKeys: new TextDecoder().decode(bytes) }) : readKeys({ binaryKeys: bytes });
    }),
  ).catch((cause: unknown) => {
    throw new DebError('malformed', 'keyring: it cannot be read', { cause });
  });
  return keys.flat();
}
