import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { type createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What stands before a mirror on a network: TLS with a certificate of its own, on loopback. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:…`. */
  readonly address: string;
  /** PEM of who vouches for it. */
  readonly certificateFile: string;
  /** From now on sends clients to another host for artifacts, as a mirror does whose store gives them out itself, or answers them. */
  artifacts(from: 'here' | 'elsewhere'): void;
  /** What the other host was asked: path, and whatever identified the client. */
  readonly elsewhere: readonly { readonly path: string; readonly authorization: string | undefined; readonly cookie: string | undefined }[];
}
export interface TlsFrontOptions {
  /** Of the mirror. */
  readonly port: number;
  /** What a store would not ask for: its addresses suffice. */
  readonly authorization: () => string;
}

/** What this machine lacks for it; undefined when nothing. */
export function whyNoTls(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'not installed: openssl';
}

const ARTIFACT = /\.(tgz|whl|tar\.gz|crate|zip)$/;

export async function openTlsFront(folder: string, { port, authorization }: TlsFrontOptions): Promise<TlsFront> {
  const certificate = makeCertificate(join(folder, 'tls'));
  const asked: TlsFront['elsewhere'][number][] = [];
  let from: 'here' | 'elsewhere' = 'here';
  let other = '';
  const pass = (message: IncomingMessage, response: ServerResponse, headers: IncomingMessage['headers']) => {
    const { method, url: path } = message;
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    message.pipe(forwarded);
  };
  const front = createTlsServer(certificate, (message, response) => {
    const isElsewhere = from === 'elsewhere' && ARTIFACT.test(message.url ?? '') && message.headers.authorization !== undefined;
    if (isElsewhere) response.writeHead(302, { location: `${other}${message.url}`, 'content-length': '0' }).end();
    else pass(message, response, message.headers);
  });
  const store = createTlsServer(certificate, (message, response) => {
    const { authorization: shown, cookie } = message.headers;
    asked.push({ path: message.url ?? '', authorization: shown, cookie });
    pass(message, response, { ...message.headers, authorization: authorization() });
  });
  const ports = await Promise.all([front, store].map(listening));
  // Another name for this machine: clients compare hosts, some of them without the port.
  other = `https://localhost:${ports[1]}`;
  return {
    address: `https://127.0.0.1:${ports[0]}`,
    certificateFile: certificate.file,
    artifacts: (next) => {
      from = next;
    },
    elsewhere: asked,
    async [Symbol.asyncDispose]() {
      for (const server of [front, store]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** An authority, and what it vouches for: some clients take no certificate that vouches for itself. */
function makeCertificate(folder: string): { readonly file: string; readonly cert: Buffer; readonly key: Buffer } {
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const authority = ['-CA', at('authority.pem'), '-CAkey', at('authority-key.pem')];
  openssl('req', '-x509', ...kind, '-subj', '/CN=Authority', '-keyout', at('authority-key.pem'), '-out', at('authority.pem'));
  openssl('req', '-x509', ...kind, '-subj', '/CN=mirror.example', ...names, ...authority, '-keyout', at('key.pem'), '-out', at('certificate.pem'));
  return { file: at('authority.pem'), cert: readFileSync(at('certificate.pem')), key: readFileSync(at('key.pem')) };
}

function openssl(...args: readonly string[]): void {
  const made = spawnSync('openssl', args);
  if (made.status !== 0) throw new Error(`openssl ${args[0]}: ${made.stderr.toString()}`);
}
