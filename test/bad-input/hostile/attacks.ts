import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { GARBAGE, HTML, type Page } from './registries.ts';

/** How an answer is turned against whoever asks, whatever it is about. */
export interface Attack {
  readonly answer: (response: ServerResponse, asked: Asked) => void;
  /** What is said of it when it meets an index document; left out where the document decides. */
  readonly index?: RegExp;
  /** And when it meets a file; left out where what is sent is simply another file. */
  readonly file?: RegExp;
}
interface Asked {
  readonly page: Page;
  /** A service that only this machine reaches. */
  readonly inside: string;
}

const MIB = 2 ** 20;
/** A gzip file may have many members (RFC 1952 2.2): a gibibyte of zeros in a megabyte. */
const BOMB = Buffer.concat(Array.from({ length: 64 }, () => gzipSync(Buffer.alloc(16 * MIB))));
const NOT_CONFIGURED = /is not on the public Internet, and the host isn't a configured upstream$/;

const redirect =
  (location: string) =>
  (response: ServerResponse): void =>
    void response.writeHead(302, { location }).end();

export const ATTACKS: Readonly<Record<string, Attack>> = {
  endless: { answer: (response) => endless(response), index: /: more than \d+ bytes$/, file: /: more than \d+ bytes$/ },
  announced: {
    answer: (response, { page }) => void response.writeHead(200, { 'content-type': page.contentType, 'content-length': String(10 ** 15) }).write('x'),
    index: /1000000000000000 bytes announced, at most \d+ wanted$/,
    file: /1000000000000000 bytes announced, at most \d+ wanted$/,
  },
  truncated: {
    answer(response, { page }) {
      response.writeHead(200, { 'content-type': page.contentType, 'content-length': page.body.length });
      response.write(page.body.subarray(0, page.body.length >> 1), () => response.destroy());
    },
    index: /the body ended early/,
    file: /the body ended early/,
  },
  // And what follows is no answer to anybody.
  smuggled: {
    answer(response, { page }) {
      const head = (size: number) => `HTTP/1.1 200 OK\r\ncontent-type: ${page.contentType}\r\ncontent-length: ${size}\r\n\r\n`;
      response.socket?.write(`${head(3)}v1.${head(GARBAGE.length)}`);
      response.socket?.write(GARBAGE);
    },
  },
  // Only index documents may come compressed.
  squeezed: {
    answer: (response, { page }) => void response.writeHead(200, { 'content-type': page.contentType, 'content-encoding': 'gzip' }).end(BOMB),
    index: /decodes to more than \d+ bytes$/,
  },
  webpage: { answer: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(HTML) },
  otherwise: { answer: (response, { page }) => void response.writeHead(200, { 'content-type': page.contentType }).end(Buffer.alloc(page.body.length, 7)) },
  busy: { answer: (response) => void response.writeHead(429).end(), index: /: status 429$/, file: /: status 429$/ },
  broken: { answer: (response) => void response.writeHead(500).end(), index: /: status 500$/, file: /: status 500$/ },
  astray: { answer: redirect('http://10.1.2.3/x'), index: NOT_CONFIGURED, file: NOT_CONFIGURED },
  inwards: { answer: (response, { inside }) => redirect(`${inside}/secret`)(response), index: NOT_CONFIGURED, file: NOT_CONFIGURED },
  circular: {
    answer: (response, { page }) => redirect(page.path)(response),
    index: /: more than 5 redirects, the last to/,
    file: /: more than 5 redirects, the last to/,
  },
  scheme: { answer: redirect('file:///etc/passwd'), index: /: file: is not a scheme to read from$/, file: /: file: is not a scheme to read from$/ },
};

/** A few bytes now and then, for ever: waited for longer than all the rest takes. */
export function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 500);
  response.once('close', () => clearInterval(timer));
}

/** Until the client has enough of it. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, 1);
  const pump = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', pump);
  response.writeHead(200);
  pump();
}
