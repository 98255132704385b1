import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarBytes, zipBytes } from '@granary/core/test';

/** What an upstream answers at one path. */
export interface Page {
  readonly path: string;
  readonly body: Buffer;
  readonly contentType: string;
}
/** A release as an honest upstream has it. */
export interface Release {
  readonly index: Page;
  readonly file: Page;
  /** What tells of this release alone, where there is that. */
  readonly statement?: Page;
  readonly others: readonly Page[];
}
/** Bytes in place of those that an honest tool makes. */
export type FileAttack = 'bomb' | 'outside';
/** Index documents that are hostile in what they say. `odd` ones hold an honest release too, which must come in. */
export type DocumentAttack = 'deep' | 'million' | 'garbage' | 'nothing' | 'oddpaths' | 'oddkeys';

/** How one ecosystem's registry looks from outside. Everything of it lies below `/<id>/` of one server. */
export interface Registry {
  readonly id: string;
  /** Its part of `upstreams:` in granary.yaml. */
  upstream(origin: string): object;
  /** What tells where files are, where that isn't a package's index. */
  readonly pages: (origin: string) => readonly Page[];
  release(name: string, attack?: FileAttack): Release;
  /** Of what clients install. */
  fileName(name: string): string;
  /** Where clients ask a view for it. */
  filePath(name: string): string;
  /** A file that is asked for by its path can be had without its package's index. */
  readonly hasFilesAlone: boolean;
  /** As a watch list has it. */
  wish(name: string): string;
  /** A lock of these, where only a lock states what the files must be. */
  lock?(names: readonly string[]): { readonly fileName: string; readonly text: string };
  document(name: string, attack: DocumentAttack): Buffer;
  /** What is said when the bytes of a file are others than its index or its lock states. */
  readonly saysOther: RegExp;
  /** When an index document isn't one; of each hostile document where more can be said. */
  readonly saysUnreadable: RegExp;
  readonly saysOf: Partial<Record<DocumentAttack | FileAttack, RegExp>>;
}

const MIB = 2 ** 20;
const MILLION = 1_000_000;
const WHEN = '2024-06-01T00:00:00Z';
const DEEP = Buffer.alloc(2 * MILLION, '[');
export const GARBAGE = Buffer.alloc(4096, 0xff);
export const HTML = '<!doctype html><title>502 Bad Gateway</title><p>Try again later.</p>\n';

const digest = (algorithm: string, bytes: Uint8Array | string, encoding: 'hex' | 'base64' = 'hex') => createHash(algorithm).update(bytes).digest(encoding);
const page = (path: string, body: Buffer | string, contentType = 'application/octet-stream'): Page => ({ path, body: Buffer.from(body), contentType });

/** What an archive holds besides: content that deflates a thousandfold, or that wants to lie elsewhere. */
function more(attack: FileAttack | undefined): readonly { readonly name: string; readonly data: string | Buffer }[] {
  switch (attack) {
    case undefined:
      return [];
    case 'bomb':
      return [{ name: 'zeros', data: Buffer.alloc(96 * MIB) }];
    case 'outside':
      return ['../../../../../../tmp/granary-escaped', '/tmp/granary-escaped'].map((name) => ({ name, data: 'out\n' }));
  }
}

const npm: Registry = {
  id: 'npm',
  upstream: (origin) => ({ index: `${origin}/npm/` }),
  pages: () => [],
  saysOther: /: sha512 is [0-9a-f]{128}, expected [0-9a-f]{128}$/,
  saysUnreadable: /: not JSON at byte 0$/,
  saysOf: { deep: /: nested deeper than 200$/, million: /: more than 101000 versions and fields$/, nothing: /: not a JSON object$/ },
  fileName: (name) => `${name}-1.0.0.tgz`,
  filePath: (name) => `${name}/-/${name}-1.0.0.tgz`,
  hasFilesAlone: true,
  wish: (name) => `pkg:npm/${name}`,
  release(name, attack) {
    const parts = [{ name: 'package/package.json', data: JSON.stringify({ name, version: '1.0.0', license: 'MIT' }) }, ...more(attack)];
    const file = page(`/npm/${name}/-/${name}-1.0.0.tgz`, gzipSync(tarBytes(parts)));
    const index = page(`/npm/${name}`, packument(name, npmVersions(name, file.body)), 'application/json');
    return { file, index, statement: statementOf(name, { tarball: `..${file.path}`, integrity: integrity(file.body) }), others: [] };
  },
  document(name, attack) {
    switch (attack) {
      case 'deep':
        return Buffer.concat([Buffer.from(`{"name":${JSON.stringify(name)},"versions":`), DEEP]);
      case 'million':
        return packument(name, `{${Array.from({ length: MILLION }, (_, number) => `"1.0.${number}":{}`).join(',')}}`);
      case 'garbage':
        return GARBAGE;
      case 'nothing':
        return Buffer.from('null');
      case 'oddpaths':
      case 'oddkeys':
        return packument(name, oddVersions(name, npm.release(name).file.body, attack));
    }
  },
};

function packument(name: string, versions: string): Buffer {
  return Buffer.from(`{"name":${JSON.stringify(name)},"dist-tags":{"latest":"1.0.0"},"time":{"1.0.0":"${WHEN}"},"versions":${versions}}`);
}

function npmVersions(name: string, tarball: Buffer): string {
  return JSON.stringify({ '1.0.0': manifest(name, '1.0.0', { tarball: `../npm/${name}/-/${name}-1.0.0.tgz`, integrity: integrity(tarball) }) });
}

/** What a registry of npm answers for a name and a version. */
export function statementOf(name: string, dist: object, more: object = {}): Page {
  return page(`/npm/${name}/1.0.0`, JSON.stringify({ ...manifest(name, '1.0.0', dist), ...more }), 'application/json');
}

function manifest(name: string, version: string, dist: object): object {
  return { name, version, dist };
}

export function integrity(bytes: Buffer): string {
  return `sha512-${digest('sha512', bytes, 'base64')}`;
}

function oddVersions(name: string, tarball: Buffer, attack: 'oddpaths' | 'oddkeys'): string {
  const dist = { integrity: integrity(Buffer.from('other')), tarball: `/npm/${name}/-/../../../../tmp/granary-escaped.tgz` };
  const odd =
    attack === 'oddpaths'
      ? ['../../../../tmp/granary-escaped', '0.9.0', '/tmp/granary-escaped'].map((version) => [version, manifest(name, version, dist)] as const)
      : ['constructor', 'toString', 'hasOwnProperty'].map((version) => [version, manifest(name, version, dist)] as const);
  const honest = npmVersions(name, tarball).slice(1, -1);
  const own = attack === 'oddkeys' ? `"__proto__":${JSON.stringify(manifest(name, '__proto__', dist))},` : '';
  return `{${own}${honest},${JSON.stringify(Object.fromEntries(odd)).slice(1)}`;
}

const cargo: Registry = {
  id: 'cargo',
  upstream: (origin) => ({ index: `${origin}/cargo/index/` }),
  pages: (origin) => [page('/cargo/index/config.json', JSON.stringify({ dl: `${origin}/cargo/crates` }), 'application/json')],
  saysOther: /: sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}$/,
  saysUnreadable: /: not a line names a version; not what an index says of a version$/,
  saysOf: { million: /: more than 100000 lines$/ },
  fileName: (name) => `${name}-1.0.0.crate`,
  filePath: (name) => `crates/${name}/${name}-1.0.0.crate`,
  hasFilesAlone: false,
  wish: (name) => `pkg:cargo/${name}`,
  release(name, attack) {
    const folder = `${name}-1.0.0`;
    const parts = [{ name: `${folder}/Cargo.toml`, data: `[package]\nname = "${name}"\nversion = "1.0.0"\nlicense = "MIT"\n` }, ...more(attack)];
    const file = page(`/cargo/crates/${name}/1.0.0/download`, gzipSync(tarBytes(parts)));
    return { file, others: [], index: page(cratePath(name), crateLine(name, '1.0.0', digest('sha256', file.body)), 'text/plain') };
  },
  document(name, attack) {
    const honest = crateLine(name, '1.0.0', digest('sha256', cargo.release(name).file.body));
    switch (attack) {
      case 'deep':
        return DEEP;
      case 'million':
        return Buffer.from('{}\n'.repeat(MILLION));
      case 'garbage':
        return GARBAGE;
      case 'nothing':
        return Buffer.from('null\n');
      case 'oddpaths':
        return Buffer.from(['../../../../tmp/granary-escaped', '1.0.0/../../x'].map((version) => crateLine(name, version, '0'.repeat(64))).join('') + honest);
      case 'oddkeys':
        return Buffer.from(`${honest}${crateLine('__proto__', '1.0.1', '0'.repeat(64))}{"__proto__":{"name":"${name}","vers":"9.9.9"},"constructor":1}\n`);
    }
  },
};

/** The Cargo book, index files; for names of four and more letters. */
function cratePath(name: string): string {
  return `/cargo/index/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
}

function crateLine(name: string, version: string, cksum: string): string {
  return `${JSON.stringify({ name, vers: version, deps: [], cksum, features: {}, yanked: false })}\n`;
}

const golang: Registry = {
  id: 'golang',
  upstream: (origin) => ({ index: `${origin}/golang/`, settings: { GOSUMDB: 'off' } }),
  pages: () => [],
  saysOther: /: zip: it ends before what its directory names, or has none$/,
  saysUnreadable: /: not a line is a version$/,
  saysOf: {
    million: /: more than 200000 versions$/,
    bomb: /at most a ratio of 200 is read$/,
    outside: /its path has a step to the folder above$/,
  },
  fileName: () => 'v1.0.0.zip',
  filePath: (name) => `mod.example/${name}/@v/v1.0.0.zip`,
  hasFilesAlone: true,
  wish: (name) => `pkg:golang/mod.example/${name}`,
  release(name, attack) {
    const base = `/golang/mod.example/${name}/@v`;
    const parts = moduleFiles(name).map(({ file, text }) => ({ name: `mod.example/${name}@v1.0.0/${file}`, data: text }));
    return {
      index: page(`${base}/list`, 'v1.0.0\n', 'text/plain'),
      file: page(`${base}/v1.0.0.zip`, zipBytes([...parts, ...more(attack)])),
      others: [
        page(`${base}/v1.0.0.info`, JSON.stringify({ Version: 'v1.0.0', Time: WHEN }), 'application/json'),
        page(`${base}/v1.0.0.mod`, goMod(name), 'text/plain'),
      ],
    };
  },
  lock(names) {
    const lines = names.flatMap((name) => {
      const whole = moduleFiles(name).map(({ file, text }) => ({ file: `mod.example/${name}@v1.0.0/${file}`, text }));
      return [`mod.example/${name} v1.0.0 ${hash1(whole)}\n`, `mod.example/${name} v1.0.0/go.mod ${hash1([{ file: 'go.mod', text: goMod(name) }])}\n`];
    });
    return { fileName: 'go.sum', text: lines.join('') };
  },
  document(_, attack) {
    switch (attack) {
      case 'deep':
        return DEEP;
      case 'million':
        return Buffer.from(Array.from({ length: MILLION }, (_, number) => `v1.0.${number}\n`).join(''));
      case 'garbage':
        return GARBAGE;
      case 'nothing':
        return Buffer.from('null\n');
      case 'oddpaths':
        return Buffer.from('../../../../tmp/granary-escaped\nv1.0.0/../../x\nv1.0.0\n/tmp/granary-escaped\n');
      case 'oddkeys':
        return Buffer.from('__proto__\nconstructor\nv1.0.0\n');
    }
  },
};

function goMod(name: string): string {
  return `module mod.example/${name}\n\ngo 1.21\n`;
}

function moduleFiles(name: string): readonly { readonly file: string; readonly text: string }[] {
  return [
    { file: 'go.mod', text: goMod(name) },
    { file: `${name}.go`, text: `package ${name}\n` },
  ];
}

/** golang.org/x/mod/sumdb/dirhash, Hash1: of names in order. */
function hash1(files: readonly { readonly file: string; readonly text: string }[]): string {
  return `h1:${digest(
    'sha256',
    files
      .toSorted((one, other) => (one.file < other.file ? -1 : 1))
      .map(({ file, text }) => `${digest('sha256', text)}  ${file}\n`)
      .join(''),
    'base64',
  )}`;
}

export const REGISTRIES: readonly Registry[] = [npm, cargo, golang];
