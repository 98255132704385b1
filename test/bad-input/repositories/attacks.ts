import { createHash } from 'node:crypto';
import { encodePacket, encodeSpecial } from '@granary/core/git';
import {
  type Answer,
  type Answers,
  announcing,
  answering,
  band,
  endless,
  holding,
  listing,
  PACK,
  packBegun,
  packing,
  TIP,
  TIP_ID,
  TREE,
} from './hostile-forge.ts';
import { blobOf, commitOf, copying, idOf, type RawObject, rawPack, treeOf } from './raw-pack.ts';

/** What a server does, and the one line that is said of it. */
export interface Attack {
  readonly answers: Partial<Answers>;
  readonly says: RegExp;
  /** How often it is looked at in one run: again at once where it may be the fault of a moment, else only later. */
  readonly looks: 'once' | 'again';
}

const MIB = 2 ** 20;
const NOT_CONFIGURED = /connect to \S+: \S+ is not on the public Internet, and the host isn't a configured upstream$/;
const redirect =
  (status: number, location: string | ((inside: string) => string)): Answer =>
  (response, { inside }) =>
    void response.writeHead(status, { location: typeof location === 'string' ? location : location(inside) }).end();
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end();

/** A commit whose tree has one strange entry, and a pack with all of it. */
function strange(mode: string, name: string, of: RawObject = blobOf('one\n')): Partial<Answers> {
  const tree = treeOf([mode, name, of]);
  const tip = commitOf(tree);
  return holding(tip, rawPack([tip, tree, of]));
}

const submodule = (lines: string) => strange('100644', '.gitmodules', blobOf(`[submodule "m"]\n\tpath = m\n${lines}`));
const ZEROS: RawObject = { type: 'blob', bytes: Buffer.alloc(15 * MIB) };
const NUMBERED = (at: number) => createHash('sha1').update(String(at)).digest('hex');

/** A pack that begins with a file of 2^60 bytes, and its zlib stream (RFC 1950 2.2); then blocks that are stored as they are, none of them the last (RFC 1951 3.2.4). */
const LARGE_FILE = Buffer.from([...Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1'), 0xb0, ...Array.from({ length: 7 }, () => 0x80), 0x80, 0x01, 0x78, 0x01]);
const STORED_BLOCK = Buffer.concat([Buffer.from([0, 0x60, 0xea, 0x9f, 0x15]), Buffer.alloc(60_000, 7)]);

/** Before a ref is known. */
export const OF_ADDRESSES: Readonly<Record<string, Attack>> = {
  astray: { answers: { announce: redirect(302, 'http://10.1.2.3/x/info/refs?service=git-upload-pack') }, looks: 'once', says: NOT_CONFIGURED },
  inwards: { answers: { announce: redirect(302, (inside) => `${inside}x/info/refs?service=git-upload-pack`) }, looks: 'once', says: NOT_CONFIGURED },
  'post-inwards': { answers: { list: redirect(307, (inside) => `${inside}x`) }, looks: 'once', says: NOT_CONFIGURED },
  'post-lost': { answers: { list: redirect(302, '/elsewhere') }, looks: 'once', says: /status 302, which would lose what is asked$/ },
  'pack-inwards': { answers: { fetch: redirect(308, (inside) => `${inside}x`) }, looks: 'once', says: NOT_CONFIGURED },
  file: { answers: { announce: redirect(302, 'file:///etc/passwd') }, looks: 'once', says: /: file: is not a scheme to read from$/ },
  helper: { answers: { announce: redirect(302, 'ext::sh -c "touch /tmp/granary-escaped"') }, looks: 'once', says: /: ext: is not a scheme to read from$/ },
  circular: { answers: { announce: redirect(302, '/x/info/refs?service=git-upload-pack') }, looks: 'once', says: /: more than 5 redirects, the last to/ },
  'to-a-page': {
    answers: { announce: (response, asked) => (asked.path.startsWith('/login') ? announcing()(response, asked) : redirect(302, '/login')(response, asked)) },
    looks: 'once',
    says: /: redirected to http:\/\/127\.0\.0\.1:\d+\/login, which is no repository's list of refs$/,
  },
  dumb: {
    answers: { announce: (response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(`${TIP_ID}\trefs/heads/main\n`) },
    looks: 'once',
    says: /answers with text\/plain: no git server that speaks its smart protocol$/,
  },
  login: {
    answers: { announce: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>') },
    looks: 'once',
    says: /answers with text\/html: no git server/,
  },
  'later-login': {
    answers: { list: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>') },
    looks: 'once',
    says: /"<!do" is not the length of a packet$/,
  },
  unauthorized: { answers: { announce: status(401) }, looks: 'once', says: /: status 401$/ },
  forbidden: { answers: { announce: status(403) }, looks: 'once', says: /: status 403$/ },
  busy: {
    answers: { announce: (response) => void response.writeHead(429, { 'retry-after': '3600' }).end() },
    looks: 'once',
    says: /: status 429, retry after 3600 s$/,
  },
  broken: { answers: { announce: status(500) }, looks: 'again', says: /: status 500$/ },
  short: {
    answers: {
      announce: (response) =>
        response
          .writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement', 'content-length': '9000' })
          .write('001e#', () => response.destroy()),
    },
    looks: 'again',
    says: /the body ended early|ends within/,
  },
  announced: {
    answers: { list: (response) => void response.writeHead(200, { 'content-length': String(10 ** 15) }).write('x') },
    looks: 'once',
    says: /1000000000000000 bytes announced, at most \d+ wanted$/,
  },
};

/** In the list of refs. */
export const OF_LISTS: Readonly<Record<string, Attack>> = {
  refusing: {
    answers: { list: answering('result', [encodePacket('ERR access denied\u001b[31m or not exported')]) },
    looks: 'again',
    says: /: git server: access denied \[31m or not exported$/,
  },
  'endless-refs': { answers: { list: endless('result', [], manyRefs()) }, looks: 'once', says: /: git server's refs: more than 1000000$/ },
  'endless-peeling': {
    answers: { list: endless('result', [], () => encodePacket(`${TIP_ID} refs/tags/${'x'.repeat(60_000)}`)) },
    looks: 'once',
    says: /: more than \d+ bytes$/,
  },
  'endless-capabilities': {
    answers: { announce: endless('advertisement', [encodePacket('version 2\n')], () => encodePacket('agent=x\n')) },
    looks: 'once',
    says: /: more than 256 capabilities$/,
  },
  twice: {
    answers: { list: listing([`${TIP_ID} refs/heads/main`, `${TIP_ID} refs/heads/main`]) },
    looks: 'once',
    says: /: git server's refs: "refs\/heads\/main" twice$/,
  },
  unfinished: {
    answers: { list: answering('result', [encodePacket(`${TIP_ID} refs/heads/main`)]) },
    looks: 'again',
    says: /: it ends within the list of refs$/,
  },
  garbled: { answers: { list: listing(['not an object id at all']) }, looks: 'once', says: /: "not an object id at all" in the list of refs$/ },
  'other-hash': { answers: { announce: announcing('sha512') }, looks: 'once', says: /: objects of format "sha512"$/ },
  'wrong-hash': { answers: { announce: announcing('sha256') }, looks: 'once', says: /in the list of refs$/ },
};

/** In the pack. */
export const OF_PACKS: Readonly<Record<string, Attack>> = {
  'not-ours': {
    answers: { fetch: answering('result', [encodePacket(`ERR upload-pack: not our ref ${TIP_ID}`)]) },
    looks: 'again',
    says: new RegExp(`: git server: upload-pack: not our ref ${TIP_ID}$`),
  },
  sideband: {
    answers: { fetch: answering('result', [...packBegun(PACK.subarray(0, 60)), band(3, 'fatal: \u001b[2Jout of luck\n')]) },
    looks: 'again',
    says: /: git server: fatal: \[2Jout of luck$/,
  },
  'cut-head': { answers: { fetch: packing(PACK.subarray(0, 6)) }, looks: 'once', says: /: take pack: fatal: early EOF$/ },
  'cut-middle': { answers: { fetch: packing(PACK.subarray(0, 80)) }, looks: 'once', says: /: take pack: fatal: early EOF$/ },
  'cut-trailer': { answers: { fetch: packing(PACK.subarray(0, -5)) }, looks: 'once', says: /: take pack: fatal: early EOF$/ },
  'cut-frame': { answers: { fetch: packing(PACK.subarray(0, 80), Buffer.from('0')) }, looks: 'again', says: /: it ends within a packet$/ },
  'cut-off': {
    answers: { fetch: (response) => response.writeHead(200).write(Buffer.concat(packBegun(PACK.subarray(0, 80))), () => response.destroy()) },
    looks: 'again',
    says: /the body ended early/,
  },
  'wrong-trailer': {
    answers: { fetch: packing(Buffer.concat([PACK.subarray(0, -1), Buffer.from([1])])) },
    looks: 'once',
    says: /: take pack: .*(SHA1|checksum|corrupted)/i,
  },
  lacking: {
    answers: holding(TIP, rawPack([TIP, TREE])),
    looks: 'once',
    says: /: what it refers to is neither in it nor held: did not receive expected object [0-9a-f]{40}$/,
  },
  'lacking-tip': {
    answers: { fetch: packing(rawPack([TREE, blobOf('one\n')])) },
    looks: 'once',
    says: /: 1 of 1 tips are neither in it nor held, such as [0-9a-f]{40}$/,
  },
  'lying-id': {
    answers: { fetch: packing(rawPack([commitOf(TREE, 'other'), TREE, blobOf('one\n')])) },
    looks: 'once',
    says: /tips are neither in it nor held/,
  },
  doubled: {
    answers: { fetch: packing(rawPack([TIP, TREE, blobOf('one\n'), blobOf('one\n')])) },
    looks: 'once',
    says: /: take pack: fatal: The same object [0-9a-f]{40} appears twice in the pack$/,
  },
  dotgit: { answers: strange('100644', '.git'), looks: 'once', says: /: git fsck refuses (object )+[0-9a-f]{40}: hasDotgit/ },
  'dotgit-short': { answers: strange('40000', 'GIT~1', treeOf()), looks: 'once', says: /: git fsck refuses (object )+[0-9a-f]{40}: hasDotgit/ },
  upwards: { answers: strange('40000', '..', treeOf()), looks: 'once', says: /: git fsck refuses (object )+[0-9a-f]{40}: hasDotdot/ },
  slashed: { answers: strange('100644', '../../escaped'), looks: 'once', says: /: git fsck refuses (object )+[0-9a-f]{40}: fullPathname/ },
  option: {
    answers: submodule('\turl = --upload-pack=touch /tmp/granary-escaped\n'),
    looks: 'once',
    says: /: git fsck refuses (object )+[0-9a-f]{40}: gitmodulesUrl/,
  },
  command: {
    answers: submodule('\turl = https://forge.example/m\n\tupdate = !touch /tmp/granary-escaped\n'),
    looks: 'once',
    says: /: git fsck refuses (object )+[0-9a-f]{40}: gitmodulesUpdate/,
  },
  bomb: {
    answers: { fetch: packing(rawPack([TIP, TREE, blobOf('one\n'), ZEROS, copying(ZEROS, 200)])) },
    looks: 'once',
    says: /: take pack: needs more memory than is allowed/,
  },
  'endless-pack': {
    answers: { fetch: endless('result', packBegun(LARGE_FILE), () => band(1, STORED_BLOCK)) },
    looks: 'once',
    says: /more than (the )?8388608 bytes/,
  },
  'endless-progress': {
    answers: { fetch: endless('result', packBegun(PACK.subarray(0, 60)), () => band(2, 'Counting objects: 1\r'.repeat(2000))) },
    looks: 'once',
    says: /: more than \d+ bytes beside the pack$/,
  },
  'endless-nothing': {
    answers: { fetch: endless('result', packBegun(PACK.subarray(0, 60)), () => NOTHINGS) },
    looks: 'once',
    says: /: more than \d+ bytes beside the pack$/,
  },
};
const NOTHINGS = Buffer.concat(Array.from({ length: 4000 }, () => band(1, '')));

/** Odd, and no reason to keep nothing. */
export const HARMLESS: Readonly<Record<string, Partial<Answers>>> = {
  honest: {},
  'odd-names': {
    list: listing([
      `${TIP_ID} refs/heads/main`,
      ...['refs/heads/../../x', '--upload-pack=touch', 'refs/heads/-x', 'refs/heads/a.lock', 'refs/heads/__proto__', 'refs/heads/a', 'refs/heads/a/b'].map(
        (name) => `${TIP_ID} ${name}`,
      ),
      Buffer.from(`${TIP_ID} refs/heads/\u0001\u001b[2J`),
      Buffer.concat([Buffer.from(`${TIP_ID} refs/heads/`), Buffer.from([0xff, 0xfe])]),
      `${TIP_ID} refs/heads/${'x'.repeat(60_000)}`,
    ]),
  },
  'head-nowhere': { list: listing(['unborn HEAD symref-target:refs/heads/none', `${TIP_ID} refs/heads/main`]) },
  'head-escapes': { list: listing([`${TIP_ID} HEAD symref-target:../../etc/passwd`, `${TIP_ID} refs/heads/main`]) },
  peeled: { list: listing([`${TIP_ID} refs/heads/main`, `${TIP_ID} refs/tags/v1 peeled:${NUMBERED(1)}`]) },
  // No client of ours follows it.
  'submodule-helper': submodule('\turl = ext::sh -c "touch /tmp/granary-escaped"\n'),
  talkative: { fetch: answering('result', [...packBegun(PACK), band(2, `\u001b[2J${'x'.repeat(60_000)}`), encodeSpecial('flush')]) },
  unsorted: {
    list: listing([`${TIP_ID} refs/tags/z`, `${TIP_ID} refs/heads/main`, `${TIP_ID} refs/pull/1/head`, `${idOf(commitOf(treeOf()))} refs/changes/1`]),
  },
};

function manyRefs(): () => Uint8Array {
  let listed = 0;
  return () => {
    listed += 1000;
    return Buffer.concat(Array.from({ length: 1000 }, (_, at) => encodePacket(`${TIP_ID} refs/heads/b${listed + at}`)));
  };
}
