import { canonicalJson, FAILURE_CLASSES, type Json, parseInstant, type Sha256, Sha256Shape, SOURCE_TIERS, type SourceTier } from '@granary/core/model';
import { z } from 'zod';
import type { BuildProposal } from './rebuild.ts';

interface PlannedSource {
  /** The digest of the archive, or the id of the commit. */
  readonly id: string;
  readonly tier: SourceTier;
  /** What an operator wrote down of it. */
  readonly written?: Sha256;
}

/** What planning came to: the blob behind a `wanted` fact of role `build`. */
export interface PlanRecord {
  /** From 1. */
  readonly attempt: number;
  /** What it was to be made from; plans that don't say so are of a source archive. */
  readonly source?: PlannedSource;
  readonly proposal?: BuildProposal;
  readonly result: /** `against`: where nothing is built, what is compared with: the tar of the source. */
    | { readonly type: 'definition'; readonly definition: Sha256; readonly against?: Sha256 }
    | { readonly type: 'unresolvable'; readonly why: 'conflict' | 'unavailable'; readonly detail: string }
    | { readonly type: 'exhausted'; readonly failureClass?: (typeof FAILURE_CLASSES)[number]; readonly detail?: string };
}

const Method = z.enum(['build', 'source-files']);
const Proposal = z
  .looseObject({
    method: Method.optional(),
    retry: z.literal(true).optional(),
    requirements: z.array(z.string()),
    before: z.string(),
    settings: z.record(z.string(), z.json()),
    parameters: z.array(z.object({ name: z.string(), value: z.string(), from: z.string() })),
    assists: z.array(z.object({ path: z.string(), sha256: Sha256Shape, why: z.string() })),
    notes: z.array(z.string()),
  })
  .transform(({ before, method, retry, ...rest }, context): BuildProposal => {
    const instant = parseInstant(before);
    if (instant !== undefined) return { ...rest, before: instant, ...(method === undefined ? {} : { method }), ...(retry === undefined ? {} : { retry }) };
    context.addIssue({ code: 'custom', message: 'expected a time' });
    return z.NEVER;
  });
const Record = z.object({
  granary: z.literal(1),
  type: z.literal('plan'),
  attempt: z.number().int().positive(),
  source: z
    .object({ id: z.string(), tier: z.enum(SOURCE_TIERS), written: Sha256Shape.optional() })
    .transform(({ written, ...rest }): PlannedSource => ({ ...rest, ...(written === undefined ? {} : { written }) }))
    .optional(),
  proposal: Proposal.optional(),
  result: z.discriminatedUnion('type', [
    z.object({ type: z.literal('definition'), definition: Sha256Shape, against: Sha256Shape.optional() }),
    z.object({ type: z.literal('unresolvable'), why: z.enum(['conflict', 'unavailable']), detail: z.string() }),
    z.object({ type: z.literal('exhausted'), failureClass: z.enum(FAILURE_CLASSES).optional(), detail: z.string().optional() }),
  ]),
});

export function encodePlan(plan: PlanRecord): Uint8Array {
  const json: Json = JSON.parse(JSON.stringify({ granary: 1, type: 'plan', ...plan }));
  return new TextEncoder().encode(canonicalJson(json));
}

/** Throws ZodError on what {@link encodePlan} didn't write. */
export function decodePlan(bytes: Uint8Array): PlanRecord {
  const { attempt, source, proposal, result } = Record.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { attempt, ...(source === undefined ? {} : { source }), ...(proposal === undefined ? {} : { proposal }), result: JSON.parse(JSON.stringify(result)) };
}
