import { SOURCE_FINDINGS, SOURCE_TIERS, VERDICTS } from '@granary/core/model';
import { z } from 'zod';
import { ByteSize } from './byte-size.ts';

const Seconds = z.number().positive().max(86_400);
const HttpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https address' });
const Specification = z.string().min(1).max(1024);
const WATCHED_MORE = {
  files: z.array(z.string()).min(1).optional(),
  /** What this product may come to; above it nothing of it is taken in. */
  quota: ByteSize.optional(),
};
const Watched = z.union(
  [
    Specification,
    strict({ package: Specification, ...WATCHED_MORE }),
    strict({ lockfile: Specification, ...WATCHED_MORE }),
    strict({ sbom: Specification, ...WATCHED_MORE }),
  ],
  {
    error:
      'expected a package URL, the path of a lockfile or SBOM, or {package: …}, {lockfile: …} or {sbom: …} with files: [pattern, …] or quota: a size such as 10GiB',
  },
);
const Upstream = strict({
  /** Where index documents begin. Default: what this machine's package manager uses. */
  index: HttpUrl.optional(),
  /** Origins of the files, where they lie in a private network of their own. */
  files: z.array(HttpUrl).default([]),
  /** What else decides what is trusted, by the package manager's own names, such as GOSUMDB. */
  settings: z.record(z.string(), z.string()).default({}),
  requestsPerSecond: z.number().positive().max(10_000).default(50),
});
const Waiver = strict({ purl: z.string(), owner: z.string(), reason: z.string().min(1), expires: z.string() });
const Policy = strict({
  mode: z.enum(['enforce', 'report']).default('enforce'),
  verdicts: z.array(z.enum(VERDICTS)).default(['reproduced', 'reproduced-normalized']),
  tiers: z.array(z.enum(SOURCE_TIERS)).default([...SOURCE_TIERS]),
  /** Findings about sources that are put up with. Others that are relevant to security keep a file out, whatever its verdict. */
  findings: z.array(z.enum(SOURCE_FINDINGS)).default([]),
  minAgeDays: z.number().nonnegative().max(3650).optional(),
  waivers: z.array(Waiver).default([]),
});

const Redis = strict({
  /** `redis://…`, `rediss://…` or a socket's path; GRANARY_REDIS_URL goes before it, and is the place for passwords. */
  url: z.string().min(1).optional(),
  prefix: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'expected lower-case letters, digits and dashes')
    .default('granary'),
});
const Postgres = strict({
  /** `postgres://…`; GRANARY_POSTGRES_URL goes before it, and is the place for passwords. */
  url: z.string().min(1).optional(),
});
const Bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of a bucket');
const S3 = strict({
  /** Its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
  endpoint: HttpUrl,
  region: z.string().min(1).default('eu-central-1'),
  /** What anybody may read, and what nobody else may: two buckets, so that no policy has to tell keys apart. */
  publicBucket: Bucket,
  privateBucket: Bucket,
  /** Clients get whole files of so many bytes and more from the service itself, by addresses that end after a few minutes. Default: never. */
  redirectFromBytes: z.number().int().positive().optional(),
  /** How an object is written only once; `granary doctor` says whether a service has conditional writes. */
  writeOnce: z.enum(['conditional-put', 'check-then-put']).default('conditional-put'),
});

const PurlGlob = z
  .string()
  .max(512)
  .regex(/^pkg:[a-z*]+(\/[^\s/?#]+)+$/, 'expected a package URL in which * stands for anything, such as pkg:npm/@acme/* or pkg:pypi/flask@3.*');
/** What the view `pull` may fetch on a client's request. */
const PullThrough = strict({
  ecosystems: z.array(z.string().regex(/^[a-z]+$/, 'expected the type of a package URL, such as npm')).min(1, 'expected at least one, such as npm'),
  /** Default: anything. */
  allow: z.array(PurlGlob).optional(),
  /** Goes before `allow`. */
  deny: z.array(PurlGlob).default([]),
  /** From upstream, per UTC day and process. */
  maxBytesPerDay: ByteSize.default(20 * 2 ** 30),
  maxArtifactBytes: ByteSize.default(2 ** 30),
});

/** Source repositories. */
const Repositories = strict({
  /** Besides those that are watched, those that packages name which are held for somebody. */
  mirror: z.enum(['watched', 'named-by-packages'], { error: 'expected watched or named-by-packages' }).default('watched'),
  /** As `url.<base>.insteadOf` of git's own configuration, which goes after these: addresses that begin with the key are read from the value instead. */
  insteadOf: z.record(z.string().regex(/^https?:\/\/./, 'expected the beginning of an address, such as https://forge.example/'), HttpUrl).default({}),
  /** Beginnings of the names of refs that are kept. Default: branches, tags and notes. */
  refs: z
    .array(z.string().regex(/^refs\/[^\s~^:?*[\\]*$/, 'expected the beginning of names of refs, such as refs/heads/'))
    .min(1)
    .max(50)
    .optional(),
  maxPackBytes: ByteSize.default(16 * 2 ** 30),
  /** Large files of LFS: of one, and of all that one repository has. What is larger is named in `granary status`. */
  lfs: strict({ maxObjectBytes: ByteSize.default(4 * 2 ** 30), maxTotalBytes: ByteSize.default(100 * 2 ** 30) }).prefault({}),
  /** Of the folders that repositories are served from; what is asked for least is made anew when it is asked for again. */
  cacheBytes: ByteSize.default(50 * 2 ** 30),
});

/** granary.yaml. */
export const ConfigFile = strict({
  watch: z.array(Watched).default([]),
  /** Which requests need nobody's consent: patterns of package URLs such as `pkg:npm/@example/*`. Default: none. */
  requests: strict({ accept: z.array(Specification).max(1000).default([]) }).prefault({}),
  /** What storage costs, for `watch add --dry-run`. Default: not known, and not said. */
  prices: strict({ perGiBMonth: z.number().nonnegative().max(1_000_000), currency: z.string().min(1).max(8).default('EUR') }).optional(),
  repositories: Repositories.prefault({}),
  upstreams: z.record(z.string().regex(/^[a-z]+$/), Upstream).default({}),
  listen: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:]+):\d{1,5}$/i, 'expected HOST:PORT such as 127.0.0.1:8080')
    .refine((listen) => Number(listen.slice(listen.lastIndexOf(':') + 1)) < 65_536, 'expected a port below 65536')
    .default('127.0.0.1:8080'),
  /** What clients reach it by, when something stands in front of it. */
  publicUrl: HttpUrl.optional(),
  /** Who may read: everybody who reaches us, or whoever shows a token that `granary reader add` made. */
  readers: z.enum(['anyone', 'registered'], { error: 'expected anyone or registered' }).default('anyone'),
  data: z.string().min(1).default('data'),
  /** Where the archive lies when not in the data folder: a folder that several processes share, or an S3-compatible service. */
  store: z
    .union([strict({ folder: z.string().min(1) }), strict({ s3: S3 })], { error: 'expected {folder: PATH} or {s3: {endpoint, publicBucket, privateBucket}}' })
    .optional(),
  /** What decides who writes the ledgers. A folder has one in itself. */
  lock: z
    .union([strict({ sqlite: strict({}) }), strict({ postgres: Postgres }), strict({ s3: strict({}) })], {
      error: 'expected {sqlite: {}}, {postgres: {}} or {s3: {}}',
    })
    .optional(),
  /** What hands jobs to workers. Default: the process that runs everything. */
  queue: strict({ redis: Redis }).optional(),
  /** Folder of the site's keys; default: in the data folder. */
  keys: z.string().min(1).optional(),
  follow: strict({ intervalSeconds: Seconds.default(60) }).default({ intervalSeconds: 60 }),
  verified: Policy.prefault({}),
  /** A folder in which operators write down how packages are made, where nothing tells. Default: nothing is written down. */
  definitions: z.string().min(1).optional(),
  /** A folder of OSV files, from which clients are told what is known of vulnerabilities. Default: they are told that nothing is known. */
  advisories: strict({ folder: z.string().min(1) }).optional(),
  /** Sigstore's roots of trust (`trusted_root.json`), by which attestations of publishers are checked. Default: they are kept, and not believed. */
  sigstore: strict({ trustedRoot: z.string().min(1) }).optional(),
  /** Default: nothing is fetched because a client asks for it. */
  pullThrough: PullThrough.optional(),
  rebuild: strict({ concurrency: z.number().int().positive().max(256).optional(), packages: z.array(z.string()).optional() }).default({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;

/** An object of these keys only; any other is refused by its name, with those that there are. */
export function strict<S extends z.core.$ZodShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}; expected one of ${Object.keys(shape).join(', ')}` : 'expected keys and values',
  });
}
