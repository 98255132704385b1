import { EcosystemError } from '@granary/contract/ecosystem';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { normalizeName, normalizeVersion } from './names.ts';

/** One locked release and the digests under which the lock will accept its files. */
export interface LockedPin {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
}

const File = z.object({ hash: z.string().optional(), hashes: z.record(z.string(), z.string()).optional() });
const UvLock = z.object({
  version: z.number().int(),
  package: z
    .array(
      z.object({
        name: z.string(),
        version: z.string().optional(),
        source: z.record(z.string(), z.unknown()),
        sdist: File.optional(),
        wheels: z.array(File).optional(),
      }),
    )
    .max(50_000)
    .default([]),
});
const Pylock = z.object({
  'lock-version': z.string(),
  packages: z
    .array(
      z.object({
        name: z.string(),
        version: z.string().optional(),
        sdist: File.optional(),
        wheels: z.array(File).optional(),
        vcs: z.unknown().optional(),
        directory: z.unknown().optional(),
        archive: z.unknown().optional(),
      }),
    )
    .max(50_000),
});

/** uv.lock: what comes from a registry; the project itself (`virtual`, `editable`) has nothing to mirror. */
export function lockedByUv(fileName: string, text: string): readonly LockedPin[] {
  const lock = read(fileName, text, UvLock);
  return lock.package.flatMap((entry) => {
    if (entry.source['virtual'] !== undefined || entry.source['editable'] !== undefined) return [];
    if (entry.source['registry'] === undefined) throw unsupported(fileName, entry.name, Object.keys(entry.source).join(', '));
    return [toPin(fileName, entry.name, entry.version, [...(entry.sdist ? [entry.sdist] : []), ...(entry.wheels ?? [])])];
  });
}

/** pylock.toml (PEP 751). */
export function lockedByPylock(fileName: string, text: string): readonly LockedPin[] {
  const lock = read(fileName, text, Pylock);
  return lock.packages.flatMap((entry) => {
    if (entry.directory !== undefined) return [];
    if (entry.vcs !== undefined || entry.archive !== undefined) throw unsupported(fileName, entry.name, entry.vcs === undefined ? 'archive' : 'vcs');
    return [toPin(fileName, entry.name, entry.version, [...(entry.sdist ? [entry.sdist] : []), ...(entry.wheels ?? [])])];
  });
}

/** requirements.txt as `pip --require-hashes` takes it: `name==version` with hashes, nothing else. */
export function lockedByRequirements(fileName: string, text: string): readonly LockedPin[] {
  const pins: LockedPin[] = [];
  let first = 0;
  let joined = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (joined === '') first = index + 1;
    const bare = line.replace(/(^|\s)#.*$/, '').trimEnd();
    joined += ` ${bare.replace(/\\$/, '')}`;
    if (bare.endsWith('\\')) continue;
    const statement = joined.trim();
    joined = '';
    if (statement !== '' && !/^(-i|--index-url|--extra-index-url|--require-hashes|--no-binary|--only-binary)\b/.test(statement))
      pins.push(requirement(fileName, first, statement));
  }
  return pins;
}

function requirement(fileName: string, line: number, statement: string): LockedPin {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*==\s*([^\s;*]+)/.exec(statement);
  const version = normalizeVersion(match?.[2] ?? '');
  const sha256 = [...statement.matchAll(/--hash[= ]sha256:([0-9a-f]{64})\b/g)].map(([, digest = '']) => digest);
  if (match?.[1] === undefined || version === undefined || sha256.length === 0) {
    throw new EcosystemError('bad-spec', `${fileName}:${line}: expected name==version with --hash=sha256:…, got ${JSON.stringify(statement.slice(0, 120))}`);
  }
  return { name: normalizeName(match[1]), version, sha256 };
}

function read<T>(fileName: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const where = cause instanceof TomlError ? `:${cause.line}:${cause.column}` : '';
    throw new EcosystemError('bad-spec', `${fileName}${where}: not TOML`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new EcosystemError('bad-spec', `${fileName}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function toPin(fileName: string, name: string, version: string | undefined, files: readonly z.output<typeof File>[]): LockedPin {
  const normal = normalizeVersion(version ?? '');
  const sha256 = files.flatMap(({ hash, hashes }) => hashes?.['sha256'] ?? (hash?.startsWith('sha256:') ? [hash.slice('sha256:'.length)] : []));
  if (normal === undefined) throw new EcosystemError('bad-spec', `${fileName}: ${name} has no version`);
  if (sha256.length === 0) throw new EcosystemError('bad-spec', `${fileName}: ${name} ${version} has no sha256`);
  return { name: normalizeName(name), version: normal, sha256 };
}

function unsupported(fileName: string, name: string, source: string): EcosystemError {
  return new EcosystemError('unsupported', `${fileName}: ${name} comes from ${source}; only releases of a registry can be kept so far`);
}
