export { type GitServer, readAdvertisement, type ServerV0, type ServerV2 } from './advertisement.ts';
export { type FetchWish, fetchRequest, MAX_HAVES, MAX_WANTS } from './fetch-request.ts';
export { type GitFormatCode, GitFormatError } from './git-format-error.ts';
export { lsRefsRequest, readLsRefs } from './ls-refs.ts';
export { type ObjectFormat, type ObjectId, parseObjectFormat, parseObjectId } from './object-id.ts';
export { encodePacket, encodeSpecial, type Packet, type PacketLimits, readPackets } from './pkt-line.ts';
export { type FetchAnswer, readFetch } from './read-fetch.ts';
export { type Ancestry, diffRefs, eventsOf, type RefChange, type RefEvent } from './ref-changes.ts';
export { MAX_REFS, type ReceivedRefs, type RefListing } from './ref-listing.ts';
export { isRefName, MAX_REF_NAME_BYTES } from './ref-name.ts';
export { refPurl } from './ref-purl.ts';
export {
  applyDelta,
  decodeSnapshot,
  encodeDelta,
  encodeSnapshot,
  type RefDelta,
  type RefDocument,
  type RefState,
  type SnapshotLimits,
} from './ref-snapshot.ts';
export { type ReleaseName, type ReleaseTag, releaseTags, type TagFit } from './release-tags.ts';
export { isRepositoryPurl, parseRepository, type Repository, repositoryUrl } from './repository-url.ts';
export { rewriteUrl, type UrlRule } from './rewrite-url.ts';
export { type ConfigEntry, type DeclaredSubmodule, declaredSubmodules, submoduleRepository } from './submodules.ts';
export { contentSwhid, objectSwhid, parseSwhid, type SnapshotBranch, type Swhid, type SwhidObject, snapshotBranches, snapshotSwhid } from './swhid.ts';
