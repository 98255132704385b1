import { type ByteDigests, type Digests, parseSha256 } from '@granary/core/model';

const LENGTHS = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const;
type Algorithm = keyof typeof LENGTHS;
/** Strongest first. */
const ALGORITHMS: readonly Algorithm[] = ['sha512', 'sha384', 'sha256', 'sha1'];

/** What upstream states of a tarball. Undefined when it names two hashes of one kind: one file has one. */
export function statedDigests(integrity: string | undefined, shasum: string | undefined): ByteDigests | undefined {
  const hashes = [
    ...parseIntegrity(integrity ?? ''),
    ...(/^[0-9a-f]{40}$/i.test(shasum ?? '') ? [{ algorithm: 'sha1' as const, hex: shasum?.toLowerCase() ?? '' }] : []),
  ];
  const byAlgorithm = new Map<Algorithm, string>();
  for (const { algorithm, hex } of hashes) {
    if ((byAlgorithm.get(algorithm) ?? hex) !== hex) return undefined;
    byAlgorithm.set(algorithm, hex);
  }
  return toDigests(byAlgorithm);
}

/** What a lock accepts: any of its strongest hashes (SRI 3.3.4). */
export function acceptedDigests(integrity: string | undefined): readonly Digests[] {
  const hashes = parseIntegrity(integrity ?? '');
  const strongest = ALGORITHMS.find((algorithm) => hashes.some((hash) => hash.algorithm === algorithm));
  return hashes.filter(({ algorithm }) => algorithm === strongest).map(({ algorithm, hex }) => toDigests(new Map([[algorithm, hex]])));
}

/** One hash of subresource integrity metadata (W3C SRI 3.5); what isn't one that we know is left out, as the specification has it. */
function parseIntegrity(text: string): readonly { readonly algorithm: Algorithm; readonly hex: string }[] {
  return text.split(/\s+/, 64).flatMap((token) => {
    const [, name = '', base64 = ''] = /^(sha512|sha384|sha256|sha1)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(token) ?? [];
    const algorithm = ALGORITHMS.find((known) => known === name);
    const bytes = Buffer.from(base64, 'base64');
    return algorithm === undefined || bytes.length !== LENGTHS[algorithm] ? [] : [{ algorithm, hex: bytes.toString('hex') }];
  });
}

function toDigests(byAlgorithm: ReadonlyMap<Algorithm, string>): ByteDigests {
  const { sha256: text = '', ...others } = Object.fromEntries(byAlgorithm);
  const sha256 = parseSha256(text);
  return { ...others, ...(sha256 === undefined ? {} : { sha256 }) };
}
