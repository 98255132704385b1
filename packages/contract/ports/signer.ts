/** A key that signs statements (ECDSA P-256, SHA-256). Only attest holds one. */
export interface StatementSigner {
  /** `SHA256:` + unpadded base64 of the SSH fingerprint: keyid and hint everywhere, so that cosign and npm accept it. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** DER signature over the bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
/** Signs checkpoints (Ed25519, C2SP signed-note). Only the sequencer holds one. */
export interface NoteSigner {
  /** `<name>+<key hash>+<base64 key>`, as golang.org/x/mod/sumdb/note writes it. */
  readonly verifierKey: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
/** Signs pending facts in the name of a role (Ed25519), so that the sequencer knows who said what. */
export interface RoleSigner {
  readonly keyId: string;
  readonly publicKeyPem: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
