import { z } from 'zod';
import { CAUSES, type Cause, canonicalJson, parseCanonicalJson, parseSha256, RUNGS, type Sha256 } from '../model/index.ts';
import type { Comparison } from './comparison.ts';

/** RFC 8785 bytes of a comparison: the same comparison is the same blob. */
export function encodeComparison(comparison: Comparison): Uint8Array {
  const { needed, residue, findings, ...rest } = comparison;
  return new TextEncoder().encode(
    canonicalJson({
      ...rest,
      needed: needed.map((ref) => ({ ...ref })),
      residue: residue.map((difference) => ({ ...difference })),
      findings: findings.map((finding) => ({ ...finding })),
    }),
  );
}

/** Reads what {@link encodeComparison} wrote; undefined when it is anything else. */
export function decodeComparison(bytes: Uint8Array): Comparison | undefined {
  const value = parseCanonicalJson(new TextDecoder().decode(bytes));
  const parsed = ComparisonSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

const Digest = z.string().transform((text, context): Sha256 => {
  const digest = parseSha256(text);
  if (digest !== undefined) return digest;
  context.addIssue({ code: 'custom', message: 'not a SHA-256' });
  return z.NEVER;
});
const CauseSchema = z.enum(CAUSES) satisfies z.ZodType<Cause>;

const ComparisonSchema = z.strictObject({
  upstream: Digest,
  rebuild: Digest,
  rung: z.enum([...RUNGS, 'none']),
  ruleset: Digest,
  needed: z.array(z.strictObject({ name: z.string(), version: z.int(), reason: z.string() })),
  normalizedSha256: z.exactOptional(Digest),
  residue: z.array(
    z.strictObject({
      path: z.string(),
      kind: z.enum(['only-upstream', 'only-rebuild', 'content', 'mode', 'type', 'link', 'order', 'metadata']),
      cause: z.exactOptional(CauseSchema),
      detail: z.exactOptional(z.string()),
      diff: z.exactOptional(z.string()),
    }),
  ),
  residueOmitted: z.int().nonnegative(),
  findings: z.array(
    z.strictObject({
      code: z.enum([...CAUSES, 'duplicate-entry', 'setuid-entry', 'device-entry', 'crlf', 'unsafe-path', 'unreadable-archive']),
      side: z.enum(['upstream', 'rebuild', 'both']),
      path: z.exactOptional(z.string()),
      detail: z.string(),
    }),
  ),
});
