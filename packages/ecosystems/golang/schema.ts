import { type ClaimedSource, claimedSource, EcosystemError } from '@granary/contract/ecosystem';
import { type Instant, parseInstant } from '@granary/core/model';
import { z } from 'zod';
import { isVersion } from './versions.ts';

const MAX_VERSIONS = 200_000;

/** `@v/list`: a version a line. Lines that name none are told apart, for the record. Throws EcosystemError `malformed` when all do. */
export function parseList(bytes: Uint8Array, url: string): { readonly versions: readonly string[]; readonly others: readonly string[] } {
  const lines = [...new Set(new TextDecoder().decode(bytes).split(/\r?\n/))].filter((line) => line !== '');
  if (lines.length > MAX_VERSIONS) throw new EcosystemError('malformed', `index ${url}: more than ${MAX_VERSIONS} versions`);
  const versions = lines.filter(isVersion);
  // None at all is what a module has that nobody tagged.
  if (lines.length > 0 && versions.length === 0) throw new EcosystemError('malformed', `index ${url}: not a line is a version`);
  return { versions, others: lines.filter((line) => !isVersion(line)) };
}

/** `VERSION.info` and `@latest`. */
export interface Info {
  readonly version: string;
  /** Of the commit, as its author set it. */
  readonly time?: Instant;
  /** Where the proxy got it from (cmd/go, `go mod download -json`, Origin): `unstated`, or nothing where that is no git repository. */
  readonly origin: ClaimedSource | 'unstated' | undefined;
}
const Text = z.string().max(4096).nullish();
const Origin = z.object({ VCS: Text, URL: Text, Hash: Text, Subdir: Text });
const Info = z
  .object({ Version: z.string().max(256), Time: z.string().max(64).nullish(), Origin: Origin.nullish().catch(undefined) })
  .transform(({ Version, Time, Origin }): Info => {
    const time = parseInstant(Time ?? '');
    return { version: Version, origin: originOf(Origin), ...(time === undefined ? {} : { time }) };
  });

function originOf(origin: z.output<typeof Origin> | null | undefined): Info['origin'] {
  if (origin === null || origin === undefined) return 'unstated';
  return origin.VCS === 'git' ? claimedSource({ repository: origin.URL ?? '', commit: origin.Hash ?? '', directory: origin.Subdir ?? '' }) : undefined;
}

/** Undefined for what isn't such a document. */
export function parseInfo(bytes: Uint8Array): Info | undefined {
  try {
    return Info.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
