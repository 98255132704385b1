import { EcosystemError, type LockedPin, readToml } from '@granary/contract/ecosystem';
import { parseSha256 } from '@granary/core/model';
import { z } from 'zod';
import { normalizeName, normalizeVersion } from './names.ts';

/** What a lock names: releases of a registry, with the digests under which it will accept their files, and what lies elsewhere. */
export interface Locked {
  readonly pins: readonly LockedPin[];
  readonly notCovered: readonly string[];
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
export function lockedByUv(fileName: string, text: string): Locked {
  const entries = readToml(fileName, text, UvLock).package.filter(({ source }) => source['virtual'] === undefined && source['editable'] === undefined);
  const isListed = ({ source }: (typeof entries)[number]) => source['registry'] !== undefined;
  return {
    pins: entries.filter(isListed).map((entry) => toPin(fileName, entry)),
    notCovered: entries.filter((entry) => !isListed(entry)).map(({ name, source }) => elsewhere(name, Object.keys(source).join(', '))),
  };
}

/** pylock.toml (PEP 751). */
export function lockedByPylock(fileName: string, text: string): Locked {
  const entries = readToml(fileName, text, Pylock).packages.filter(({ directory }) => directory === undefined);
  const isListed = ({ vcs, archive }: (typeof entries)[number]) => vcs === undefined && archive === undefined;
  return {
    pins: entries.filter(isListed).map((entry) => toPin(fileName, entry)),
    notCovered: entries.filter((entry) => !isListed(entry)).map(({ name, vcs }) => elsewhere(name, vcs === undefined ? 'archive' : 'vcs')),
  };
}

/** requirements.txt as `pip --require-hashes` takes it: `name==version` with hashes, nothing else. */
export function lockedByRequirements(fileName: string, text: string): Locked {
  const pins: LockedPin[] = [];
  const notCovered: string[] = [];
  let first = 0;
  let joined = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (joined === '') first = index + 1;
    const bare = line.replace(/(^|\s)#.*$/, '').trimEnd();
    joined += ` ${bare.replace(/\\$/, '')}`;
    if (bare.endsWith('\\')) continue;
    const statement = joined.trim();
    joined = '';
    const [, elsewhereNamed] = DIRECT.exec(statement) ?? [];
    if (elsewhereNamed !== undefined) notCovered.push(elsewhere(normalizeName(elsewhereNamed), 'an address'));
    else if (statement !== '' && !OPTION.test(statement)) pins.push(requirement(fileName, first, statement));
  }
  return { pins, notCovered };
}

/** What decides where pip looks and what it prefers: digests decide what it takes. */
const OPTION = /^(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host|--require-hashes|--no-binary|--only-binary|--prefer-binary|--pre)(\s|=|$)/;
/** PEP 508 URL requirements: `name[extra] @ https://…`. */
const DIRECT = /^([A-Za-z0-9][A-Za-z0-9._-]{0,255})\s*(?:\[[^\]]*\])?\s*@\s/;

function requirement(fileName: string, line: number, statement: string): LockedPin {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*==\s*([^\s;*]+)/.exec(statement);
  const version = normalizeVersion(match?.[2] ?? '');
  const digests = [...statement.matchAll(/--hash[= ]sha256:([0-9a-f]{64})\b/g)].flatMap(([, digest = '']) => toDigests(digest));
  if (match?.[1] === undefined || version === undefined || digests.length === 0) {
    throw new EcosystemError('bad-spec', `${fileName}:${line}: expected name==version with --hash=sha256:…, got ${JSON.stringify(statement.slice(0, 120))}`);
  }
  return { name: normalizeName(match[1]), version, digests };
}

interface Entry {
  readonly name: string;
  readonly version?: string | undefined;
  readonly sdist?: z.output<typeof File> | undefined;
  readonly wheels?: readonly z.output<typeof File>[] | undefined;
}

function toPin(fileName: string, { name, version, sdist, wheels = [] }: Entry): LockedPin {
  const normal = normalizeVersion(version ?? '');
  const files = [...(sdist === undefined ? [] : [sdist]), ...wheels];
  const digests = files.flatMap(({ hash, hashes }) => toDigests(hashes?.['sha256'] ?? /^sha256:(.+)$/.exec(hash ?? '')?.[1] ?? ''));
  if (normal === undefined) throw new EcosystemError('bad-spec', `${fileName}: ${name} has no version`);
  if (digests.length === 0) throw new EcosystemError('bad-spec', `${fileName}: ${name} ${version} has no sha256`);
  return { name: normalizeName(name), version: normal, digests };
}

function toDigests(text: string): LockedPin['digests'] {
  const sha256 = parseSha256(text);
  return sha256 === undefined ? [] : [{ sha256 }];
}

function elsewhere(name: string, source: string): string {
  return `${name}: comes from ${source}, not from a registry`;
}
