import { CAUSES, FAILURE_CLASSES, RUNGS, SOURCE_FINDINGS, SOURCE_TIERS, VERDICTS } from '@granary/core/model';
import { z } from 'zod';

// What /api/v1 answers. The OpenAPI document is made from these: a change here is a change of the interface.

const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256, lower-case hexadecimal' });
const PurlText = z.string().meta({ description: 'Package URL', examples: ['pkg:pypi/click@8.1.7'] });
const Time = z.string().meta({ description: 'RFC 3339, UTC', format: 'date-time' });

export const FactReference = z
  .object({ origin: z.string(), index: z.int(), kind: z.string(), key: Digest, at: Time, author: z.string() })
  .meta({ id: 'FactReference', description: 'Where a fact stands in the ledger' });
export const EvidenceItem = z
  .object({ check: z.string(), state: z.enum(['checked', 'absent', 'unchecked']), why: z.string().optional(), by: z.string().optional() })
  .meta({ id: 'Evidence', description: 'One integrity check that upstream offers; unchecked never counts' });
export const ArtifactDocument = z
  .object({
    purl: PurlText,
    fileName: z.string(),
    sha256: Digest,
    sizeBytes: z.int(),
    url: z.string(),
    publishedAt: Time.optional(),
    storedAt: Time,
    licence: z.string().optional(),
    evidence: z.array(EvidenceItem),
    verdict: z.enum([...VERDICTS, 'pending']),
    rung: z.enum(RUNGS).optional(),
    sourceTier: z.enum(SOURCE_TIERS).optional(),
    failureClass: z.enum(FAILURE_CLASSES).optional(),
    cause: z.enum(CAUSES).optional(),
    source: z
      .object({ repository: PurlText, commit: z.string(), directory: z.string().optional(), ref: z.string().optional() })
      .optional()
      .meta({ description: 'The commit that the release was made from, as it was found' }),
    findings: z.array(z.enum(SOURCE_FINDINGS)).optional().meta({ description: 'What its sources say against each other' }),
    definition: Digest.optional(),
    rebuilt: Digest.optional(),
    comparison: Digest.optional(),
    log: Digest.optional(),
    quarantine: z.string().optional(),
    vanished: z.object({ state: z.enum(['gone', 'replaced', 'back']), at: Time }).optional(),
    meetsPolicy: z.boolean(),
    policyProblem: z.string().optional(),
    facts: z.array(FactReference),
  })
  .meta({ id: 'Artifact', description: 'One file of a release, and everything that is recorded of it' });
export const ReleaseDocument = z.object({ purl: PurlText, artifacts: z.array(ArtifactDocument) }).meta({ id: 'Release' });
export const PackageDocument = z
  .object({ purl: PurlText, releases: z.array(z.object({ purl: PurlText, artifacts: z.int(), verdicts: z.record(z.string(), z.int()) })) })
  .meta({ id: 'Package' });
export const PackagesDocument = z
  .object({ packages: z.array(PurlText), next: PurlText.optional().meta({ description: 'Ask again with after= this' }) })
  .meta({ id: 'Packages' });
export const StatusDocument = z
  .object({
    granary: z.literal(1),
    url: z.string(),
    ready: z.boolean(),
    notReady: z.array(z.string()),
    ledger: z.object({ origin: z.string(), size: z.int() }),
    packages: z.int(),
    artifacts: z.int(),
    verdicts: z.record(z.string(), z.int()),
    policy: z.object({
      mode: z.enum(['enforce', 'report']),
      verdicts: z.array(z.enum(VERDICTS)),
      tiers: z.array(z.enum(SOURCE_TIERS)),
      minAgeDays: z.number().optional(),
      waivers: z.array(z.object({ purl: z.string(), owner: z.string(), reason: z.string(), expires: z.string() })),
    }),
  })
  .meta({ id: 'Status' });
export const BundlesDocument = z
  .object({ bundles: z.array(z.record(z.string(), z.unknown())) })
  .meta({ id: 'Bundles', description: 'Sigstore bundles v0.3, oldest first' });
export const KeysDocument = z
  .object({ publicKey: z.string(), trustedRoot: z.record(z.string(), z.unknown()), endorsements: z.array(z.record(z.string(), z.unknown())) })
  .meta({ id: 'Keys', description: 'What a verifier needs to know of this site' });
export const ComparisonDocument = z
  .looseObject({ upstream: Digest, rebuild: Digest, rung: z.enum([...RUNGS, 'none']), residueOmitted: z.int() })
  .meta({ id: 'Comparison', description: 'What a rebuild was compared with, and what is left' });
export const DefinitionDocument = z
  .looseObject({ granary: z.literal(1), type: z.literal('definition') })
  .meta({ id: 'Definition', description: 'How an artifact is rebuilt' });
export const LogDocument = z.string().meta({ id: 'Log', description: 'What a build wrote' });
export const Problem = z.object({ error: z.string() }).meta({ id: 'Problem' });

export type ArtifactDocument = z.input<typeof ArtifactDocument>;
export type ReleaseDocument = z.input<typeof ReleaseDocument>;
export type PackageDocument = z.input<typeof PackageDocument>;
export type StatusDocument = z.input<typeof StatusDocument>;
