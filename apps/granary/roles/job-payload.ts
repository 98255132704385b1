import { DigestsShape, toPurl, toSha256 } from '@granary/core/model';
import { z } from 'zod';

const PurlText = z.string().transform(toPurl);
const Digest = z.string().transform(toSha256);

/** What the scheduler puts into jobs: parsed here, once, because a queue is a door. */
export const JobPayload = z.discriminatedUnion('type', [
  z.object({ type: z.literal('demand'), specification: z.string() }),
  z.object({ type: z.literal('observe'), package: PurlText }),
  z.object({ type: z.literal('mirror'), repository: PurlText }),
  z.object({ type: z.literal('store'), purl: PurlText, digests: DigestsShape }),
  z.object({ type: z.literal('locate'), purl: PurlText }),
  z.object({ type: z.literal('propose'), purl: PurlText, attempt: z.number().int().positive() }),
  z.object({ type: z.literal('build'), purl: PurlText, definition: Digest, build: z.union([z.literal(1), z.literal(2)]) }),
  z.object({ type: z.literal('compare'), purl: PurlText, sha256: Digest, definition: Digest }),
  z.object({ type: z.literal('verdict'), purl: PurlText }),
  z.object({ type: z.literal('attest'), purl: PurlText }),
  z.object({ type: z.literal('try'), specification: z.string(), ecosystem: z.string() }),
]);
export type JobPayload = z.output<typeof JobPayload>;
