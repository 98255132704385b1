import { gzipSync } from 'node:zlib';
import type { Upstream } from '@granary/contract/ports';
import { type Instant, sha256, toInstant } from '@granary/core/model';
import { createCleartextMessage, generateKey, sign } from 'openpgp';
import type { Keyring } from '../signed-release.ts';

const NOW: Instant = toInstant(Date.UTC(2024, 0, 2));

export interface TinyArchive extends Upstream {
  readonly keyring: Keyring;
  /** Bodies by address. A test may alter them. */
  readonly files: Map<string, Uint8Array>;
  /** Addresses in the order in which they were asked for. */
  readonly asked: string[];
}
export interface TinyArchiveOptions {
  readonly codename?: string;
  readonly extraFields?: string;
}

/** A signed archive of two packages at http://registry.example/debian/, as an upstream of its own. */
export async function tinyArchive({ codename = 'clamp', extraFields = '' }: TinyArchiveOptions = {}): Promise<TinyArchive> {
  const root = 'http://registry.example/debian/';
  const files = new Map<string, Uint8Array>();
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const stanzas = ['base', 'tool'].map((name) => {
    const path = `pool/main/${name[0]}/${name}/${name}_1.0_amd64.deb`;
    const body = bytes(`the package ${name}`);
    files.set(root + path, body);
    return `Package: ${name}\nVersion: 1.0\nArchitecture: amd64\nFilename: ${path}\nSize: ${body.length}\nSHA256: ${sha256(body)}\n`;
  });
  const index = new Uint8Array(gzipSync(stanzas.join('\n')));
  files.set(`${root}dists/clamp/main/binary-amd64/by-hash/SHA256/${sha256(index)}`, index);
  const release = `Origin: Example\nSuite: stable\nCodename: ${codename}\nDate: Mon, 01 Jan 2024 12:00:00 UTC\nAcquire-By-Hash: yes\nArchitectures: amd64\nComponents: main\n${extraFields}SHA256:\n ${sha256(index)} ${index.length} main/binary-amd64/Packages.gz\n`;
  const date = new Date(Date.UTC(2024, 0, 1));
  const { privateKey, publicKey } = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'Example' }], date, format: 'object' });
  files.set(`${root}dists/clamp/InRelease`, bytes(await sign({ message: await createCleartextMessage({ text: release }), signingKeys: privateKey, date })));
  const asked: string[] = [];
  return {
    keyring: publicKey.write(),
    files,
    asked,
    async open({ url }) {
      asked.push(url);
      const body = files.get(url);
      if (body === undefined) return { status: 'not-found', code: 404, at: NOW };
      return { status: 'ok', url, contentType: 'application/octet-stream', body: once(body), at: NOW };
    },
  };
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body;
}
