import { type AttestationRules, EcosystemError } from '@granary/contract/ecosystem';
import { z } from 'zod';
import { parseObject } from './schema.ts';

const WHAT = 'attestations';
const Bundle = z.looseObject({ verificationMaterial: z.looseObject({ publicKey: z.unknown().optional() }).optional() });
const Document = z.object({ attestations: z.array(z.object({ bundle: Bundle })).max(32) });

/** What `/-/npm/v1/attestations/<name>@<version>` answers. Those that the registry signs by a key of its own say that it was published, and nothing of its source. */
export const npmAttestations: AttestationRules = {
  companion: 'attestations',
  check: 'npm-attestations',
  bundlesOf(bytes) {
    const document = Document.safeParse(parseObject(bytes, WHAT));
    if (!document.success) throw new EcosystemError('malformed', `${WHAT}: ${z.prettifyError(document.error)}`);
    return document.data.attestations.map(({ bundle }) => bundle).filter(({ verificationMaterial }) => verificationMaterial?.publicKey === undefined);
  },
};
