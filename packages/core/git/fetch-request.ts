import type { GitServer, ServerV0, ServerV2 } from './advertisement.ts';
import { GitFormatError } from './git-format-error.ts';
import type { ObjectId } from './object-id.ts';
import { encodePacket, encodeSpecial } from './pkt-line.ts';
import { AGENT, commandStart } from './request.ts';

export interface FetchWish {
  /** What is wanted; all of them, once each. */
  readonly wants: readonly ObjectId[];
  /** What is held with all that it reaches, newest first: those beyond MAX_HAVES are left out. Servers ignore what they don't know. */
  readonly haves: readonly ObjectId[];
  /** Thin: the pack may build upon objects that are held and not in it. */
  readonly pack: 'thin' | 'self-contained';
  /** Such as `blob:none` (git-rev-list(1), --filter); refused where the server doesn't offer it. */
  readonly filter?: string;
}

/** 3.3 MB of a request: servers take 10 MB as they come (git-http-backend(1), http.maxRequestBuffer). What is more is asked for in another fetch. */
export const MAX_WANTS = 65_536;
/** As many as git itself names in one round at most. */
export const MAX_HAVES = 16_384;

/**
 * Body of the request for a pack, in one round (gitprotocol-v2, fetch; for older servers gitprotocol-pack): everything that is held is named
 * at once, and `done` with it, so that the server leaves out what it knows to be held. Where upstream has thrown held commits away, it knows
 * only what came before them: name their ancestors too, else more is sent than is missing. Throws RangeError on no wants or too many,
 * GitFormatError `unsupported` where the server can't.
 */
export function fetchRequest(server: GitServer, wish: FetchWish): Uint8Array {
  const wants = [...new Set(wish.wants)];
  if (wants.length === 0 || wants.length > MAX_WANTS) throw new RangeError(`fetch of ${wants.length} objects: from 1 to ${MAX_WANTS} in one request`);
  if (wish.filter !== undefined && !/^[\x21-\x7e]{1,200}$/.test(wish.filter)) throw new RangeError(`fetch: filter ${JSON.stringify(wish.filter.slice(0, 80))}`);
  const haves = [...new Set(wish.haves)].slice(0, MAX_HAVES);
  return Buffer.concat(server.version === 2 ? requestV2(server, { ...wish, wants, haves }) : requestV0(server, { ...wish, wants, haves }));
}

function requestV2(server: ServerV2, { wants, haves, pack, filter }: FetchWish): readonly Uint8Array[] {
  if (filter !== undefined && !server.fetch.has('filter')) throw new GitFormatError('unsupported', 'git server: it filters nothing');
  return [
    ...commandStart(server, 'fetch'),
    ...(pack === 'thin' ? [encodePacket('thin-pack\n')] : []),
    encodePacket('ofs-delta\n'),
    ...(isFollowing(haves) ? [encodePacket('no-progress\n')] : []),
    ...(filter === undefined ? [] : [encodePacket(`filter ${filter}\n`)]),
    ...wants.map((id) => encodePacket(`want ${id}\n`)),
    ...haves.map((id) => encodePacket(`have ${id}\n`)),
    encodePacket('done\n'),
    encodeSpecial('flush'),
  ];
}

/** What is new is soon packed. A server that packs everything may take long: what it says meanwhile shows that it lives. */
function isFollowing(haves: readonly ObjectId[]): boolean {
  return haves.length > 0;
}

/** No `multi_ack`: then the answer begins with one ACK or NAK, and the pack follows. */
function requestV0({ capabilities, objectFormat }: ServerV0, { wants, haves, pack, filter }: FetchWish): readonly Uint8Array[] {
  if (!capabilities.has('side-band-64k')) throw new GitFormatError('unsupported', 'git server: it speaks neither protocol v2 nor side-band-64k');
  if (filter !== undefined && !capabilities.has('filter')) throw new GitFormatError('unsupported', 'git server: it filters nothing');
  const agreed = [
    'side-band-64k',
    ...[
      'ofs-delta',
      ...(pack === 'thin' ? ['thin-pack'] : []),
      ...(isFollowing(haves) ? ['no-progress'] : []),
      ...(filter === undefined ? [] : ['filter']),
    ].filter((name) => capabilities.has(name)),
    ...(capabilities.has(`object-format=${objectFormat}`) ? [`object-format=${objectFormat}`] : []),
    ...([...capabilities].some((text) => text.startsWith('agent=')) ? [`agent=${AGENT}`] : []),
  ].join(' ');
  return [
    ...wants.map((id, index) => encodePacket(index === 0 ? `want ${id} ${agreed}\n` : `want ${id}\n`)),
    ...(filter === undefined ? [] : [encodePacket(`filter ${filter}\n`)]),
    encodeSpecial('flush'),
    ...haves.map((id) => encodePacket(`have ${id}\n`)),
    encodePacket('done\n'),
  ];
}
