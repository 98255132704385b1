export { openSigstoreAttestations } from './open-sigstore-attestations.ts';
