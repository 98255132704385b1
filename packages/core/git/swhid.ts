import { createHash } from 'node:crypto';
import { type ObjectId, parseObjectId } from './object-id.ts';
import type { RefListing } from './ref-listing.ts';

declare const brand: unique symbol;
/** A core SWHID (ISO/IEC 18670): `swh:1:<cnt|dir|rev|rel|snp>:<40 hexadecimal digits>`, without qualifiers. */
export type Swhid = string & { readonly [brand]: 'Swhid' };

export type SwhidObject = 'content' | 'directory' | 'revision' | 'release' | 'snapshot';
const TAG = { content: 'cnt', directory: 'dir', revision: 'rev', release: 'rel', snapshot: 'snp' } as const satisfies Record<SwhidObject, string>;

export function parseSwhid(text: string): Swhid | undefined {
  return /^swh:1:(?:cnt|dir|rev|rel|snp):[0-9a-f]{40}$/.test(text) ? (text as Swhid) : undefined;
}

/** Of a file's bytes: the id of git's blob. */
export function contentSwhid(bytes: Uint8Array): Swhid {
  return swhid('content', gitSha1('blob', bytes));
}

/** Of a blob, tree, commit or annotated tag of a git repository of format sha1: git's own id is the SWHID's. Undefined for a sha256 id. */
export function objectSwhid(type: Exclude<SwhidObject, 'snapshot'>, objectId: ObjectId): Swhid | undefined {
  return parseObjectId(objectId, 'sha1') === undefined ? undefined : swhid(type, objectId);
}

/** What one branch of a snapshot names; `alias` another branch, `dangling` nothing that is there. */
export type SnapshotBranch =
  | { readonly type: Exclude<SwhidObject, 'snapshot'>; readonly objectId: ObjectId }
  | { readonly type: 'alias'; readonly target: string }
  | { readonly type: 'dangling' };

/**
 * The branches of a repository, as Software Heritage names them: every ref by its full name, and HEAD as an alias. `typeOf` says what an object
 * is; a branch that HEAD names and that isn't there is dangling.
 */
export function snapshotBranches(
  { refs, head }: RefListing,
  typeOf: (objectId: ObjectId) => Exclude<SwhidObject, 'snapshot'>,
): ReadonlyMap<string, SnapshotBranch> {
  const branches = new Map<string, SnapshotBranch>([...refs].map(([name, objectId]) => [name, { type: typeOf(objectId), objectId }]));
  if (head === undefined) return branches;
  if (!branches.has(head)) branches.set(head, { type: 'dangling' });
  return branches.set('HEAD', { type: 'alias', target: head });
}

/**
 * ISO/IEC 18670, snapshots: the branches in the order of their names' bytes, each as `<type> <name> NUL <length>:<target>`, hashed as git
 * hashes an object of type `snapshot`. Of repositories of format sha1 only: throws RangeError on a sha256 id.
 */
export function snapshotSwhid(branches: ReadonlyMap<string, SnapshotBranch>): Swhid {
  const lines = [...branches].map(([name, branch]) => ({ name: Buffer.from(name), branch })).toSorted((one, other) => Buffer.compare(one.name, other.name));
  const manifest = lines.map(({ name, branch }) => {
    const target = targetBytes(branch);
    return Buffer.concat([Buffer.from(`${branch.type} `), name, Buffer.from(`\0${target.length}:`), target]);
  });
  return swhid('snapshot', gitSha1('snapshot', Buffer.concat(manifest)));
}

function targetBytes(branch: SnapshotBranch): Buffer {
  switch (branch.type) {
    case 'alias':
      return Buffer.from(branch.target);
    case 'dangling':
      return Buffer.alloc(0);
    case 'content':
    case 'directory':
    case 'revision':
    case 'release': {
      if (parseObjectId(branch.objectId, 'sha1') === undefined) throw new RangeError(`SWHID of a snapshot: ${branch.objectId} is not a sha1 id`);
      return Buffer.from(branch.objectId, 'hex');
    }
  }
}

function gitSha1(type: string, bytes: Uint8Array): string {
  return createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}

function swhid(type: SwhidObject, hex: string): Swhid {
  return `swh:1:${TAG[type]}:${hex}` as Swhid;
}
