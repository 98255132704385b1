import { SOURCE_TIERS, VERDICTS } from '@granary/core/model';
import { z } from 'zod';

const Seconds = z.number().positive().max(86_400);
const HttpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https address' });
const Watched = z.union(
  [
    z.string().min(1).max(1024),
    strict({ package: z.string().min(1).max(1024), files: z.array(z.string()).min(1).optional() }),
    strict({ lockfile: z.string().min(1).max(1024), files: z.array(z.string()).min(1).optional() }),
  ],
  { error: 'expected a package URL, the path of a lockfile, or {package: …} or {lockfile: …} with files: [pattern, …]' },
);
const Upstream = strict({
  /** Where index documents begin. Default: what this machine's package manager uses. */
  index: HttpUrl.optional(),
  /** Origins of the files, where they lie in a private network of their own. */
  files: z.array(HttpUrl).default([]),
  requestsPerSecond: z.number().positive().max(10_000).default(50),
});
const Waiver = strict({ purl: z.string(), owner: z.string(), reason: z.string().min(1), expires: z.string() });
const Policy = strict({
  mode: z.enum(['enforce', 'report']).default('enforce'),
  verdicts: z.array(z.enum(VERDICTS)).default(['reproduced', 'reproduced-normalized']),
  tiers: z.array(z.enum(SOURCE_TIERS)).default([...SOURCE_TIERS]),
  minAgeDays: z.number().nonnegative().max(3650).optional(),
  waivers: z.array(Waiver).default([]),
});

/** granary.yaml. */
export const ConfigFile = strict({
  watch: z.array(Watched).default([]),
  upstreams: z.record(z.string().regex(/^[a-z]+$/), Upstream).default({}),
  listen: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:]+):\d{1,5}$/i, 'expected HOST:PORT such as 127.0.0.1:8080')
    .refine((listen) => Number(listen.slice(listen.lastIndexOf(':') + 1)) < 65_536, 'expected a port below 65536')
    .default('127.0.0.1:8080'),
  data: z.string().min(1).default('data'),
  follow: strict({ intervalSeconds: Seconds.default(60) }).default({ intervalSeconds: 60 }),
  verified: Policy.prefault({}),
  rebuild: strict({ concurrency: z.number().int().positive().max(256).optional(), packages: z.array(z.string()).optional() }).default({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;

/** An object of these keys only; any other is refused by its name, with those that there are. */
function strict<S extends z.core.$ZodShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}; expected one of ${Object.keys(shape).join(', ')}` : 'expected keys and values',
  });
}
