import type { CommitDocument, DocumentSource } from '@granary/contract/ecosystem';
import { canonicalJson, type Json, purlParts } from '@granary/core/model';
import { z } from 'zod';
import { type FileKind, pathOf } from '../names.ts';

/** What a proxy has of a version beside its zip (the tool's own reference, "GOPROXY protocol"), as functions of the version's commit. */
export const moduleDocuments: Readonly<Record<Exclude<FileKind, 'zip'>, CommitDocument>> = {
  /** The go.mod of the module's folder, byte by byte; of a repository without one, what the tool makes up ("Compatibility with non-module repositories"). */
  mod: { make: ({ purl }, source) => goModOf(pathOf(purl), source), normalizers: [] },
  /** Version and time as the tool writes them, and the commit where the proxy names one. */
  info: {
    make: ({ purl }, { published, commit, committedAt }) => {
      const names = readInfo(published)?.hash !== undefined;
      const time = committedAt.replace('.000Z', 'Z');
      return encode(JSON.stringify({ Version: purlParts(purl).version, Time: time, ...(names ? { Origin: { Hash: commit } } : {}) }));
    },
    normalizers: [
      {
        ref: {
          name: 'golang-info',
          version: 1,
          reason:
            'how a proxy came to a version is its own affair: of its Origin the commit is compared; how members are ordered and times written says nothing',
        },
        apply: (document) => comparableInfo(readInfo(document)),
      },
    ],
    causeOf: ({ upstream, rebuild }) => (isOwnTime(upstream, rebuild) ? 'build-metadata' : undefined),
  },
};

/** golang.org/x/mod/modfile, cmd/go (modfetch, codeRepo.findDir): no go.mod is made up for modules in folders, nor for major versions that paths have after a slash. */
function goModOf(path: string, { file, directory }: DocumentSource): Uint8Array | undefined {
  if (file === 'unreadable') return undefined;
  if (file !== 'absent') return file;
  return directory === '' && !/\/v\d+$/.test(path) ? encode(`module ${path}\n`) : undefined;
}

const Info = z.object({
  Time: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  Origin: z.object({ Hash: z.string().optional() }).nullish(),
});
interface Info {
  readonly time: Date;
  /** Of its Origin. */
  readonly hash: string | undefined;
  /** What else it says. */
  readonly others: { readonly [name: string]: Json };
}

function readInfo(bytes: Uint8Array): Info | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json: Info['others'] = JSON.parse(text);
    const { Time, Origin } = Info.parse(json);
    if (mayBeReadOtherwise(text, Origin?.Hash)) return undefined;
    const { Time: _time, Origin: _origin, ...others } = json;
    return { time: Time, hash: Origin?.Hash, others };
  } catch {
    return undefined;
  }
}

/** The tool takes names of members without their case, and two of one name together (encoding/json): what could name it another commit than us isn't read. */
function mayBeReadOtherwise(text: string, hash: string | undefined): boolean {
  const count = (member: RegExp): number => text.match(member)?.length ?? 0;
  return text.includes('\\') || count(/"origin"\s*:/giu) > 1 || count(/"hash"\s*:/giu) > (hash === undefined ? 0 : 1);
}

/** All that it says but for the proxy's own affairs: what nobody knows of stays, and differs. */
function comparableInfo(info: Info | undefined): Uint8Array | undefined {
  if (info === undefined) return undefined;
  const { time, hash, others } = info;
  try {
    return encode(canonicalJson({ ...others, Time: time.toISOString(), ...(hash === undefined ? {} : { Origin: { Hash: hash } }) }));
  } catch {
    // Numbers and names that no canonical form has.
    return undefined;
  }
}

/**
 * Some proxies put down when they fetched a version, and its name as the commit's (`Name` and `Short` of cmd/go's own RevInfo, which it doesn't read from a proxy): untrue, but said of a
 * version by whoever made the proxy, and not of this one by anybody.
 */
function isOwnTime(upstream: Uint8Array, rebuild: Uint8Array): boolean {
  const [theirs, ours] = [readInfo(upstream), readInfo(rebuild)];
  if (theirs === undefined || ours === undefined) return false;
  const { Name: _name, Short: _short, ...others } = theirs.others;
  const [one, other] = [comparableInfo({ ...theirs, time: ours.time, others }), comparableInfo(ours)];
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
