import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';

/**
 * The limit of the runtime: a server that does nothing but look a page up in memory and write it, with `node:http`. What is slower than
 * nginx here no server on Node's HTTP can mend.
 */
const [root = '', list = '', port = '0'] = process.argv.slice(2);
const pages = new Map<string, Buffer>();
for (const path of readFileSync(list, 'utf8').trim().split('\n')) pages.set(`/${path}`, readFileSync(join(root, `${path}index.json`)));
const server = createServer((request, response) => {
  const page = pages.get(request.url ?? '');
  if (page === undefined) return void response.writeHead(404).end();
  // As one text with the headers, which Node writes at once.
  const type = ['content-type', 'application/vnd.pypi.simple.v1+json', 'content-length', String(page.length), 'etag', '"0"'];
  response.writeHead(200, type).end(page.toString('latin1'), 'latin1');
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
process.once('SIGTERM', () => process.exit(0));
