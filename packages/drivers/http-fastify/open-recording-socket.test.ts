import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpHandler } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecordingSocket, type Served } from './index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function get(socketPath: string, path: string, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
const handler: HttpHandler = ({ target, headers }) => {
  const body = Buffer.from(`${target} ${String(headers['accept-encoding'])}`);
  const stream = { sizeBytes: body.length, open: async () => halves(body) };
  return { status: target === '/absent' ? 404 : 200, headers: ['content-length', String(body.length)], body: target === '/stream' ? stream : body };
};
async function* halves(bytes: Uint8Array) {
  yield bytes.subarray(0, 3);
  yield bytes.subarray(3);
}

describe('a recording socket', () => {
  it('records every answer with the digest of its bytes, which are never compressed', async () => {
    const served: Served[] = [];
    await using socket = await openRecordingSocket({ path: join(folder, 's'), handler, onServed: (record) => served.push(record) });

    for (const path of ['/page', '/stream', '/absent']) await get(socket.address, path);
    await get(socket.address, '/page', 'HEAD');

    expect(served).toEqual([
      { method: 'GET', target: '/page', status: 200, sha256: sha256('/page identity'), sizeBytes: 14, complete: true },
      { method: 'GET', target: '/stream', status: 200, sha256: sha256('/stream identity'), sizeBytes: 16, complete: true },
      { method: 'GET', target: '/absent', status: 404, sha256: sha256('/absent identity'), sizeBytes: 16, complete: true },
      { method: 'HEAD', target: '/page', status: 200, sha256: sha256(''), sizeBytes: 0, complete: true },
    ]);
  });

  it('says so when an answer was broken off', async () => {
    const served: Served[] = [];
    async function* failing() {
      yield Buffer.from('half');
      throw new Error('disk');
    }
    const broken: HttpHandler = () => ({ status: 200, headers: ['content-length', '8'], body: { sizeBytes: 8, open: async () => failing() } });
    await using socket = await openRecordingSocket({ path: join(folder, 's'), handler: broken, onServed: (record) => served.push(record), onError() {} });

    await expect(get(socket.address, '/')).rejects.toThrow();

    expect(served).toMatchObject([{ complete: false }]);
  });

  it('is for its own user only, and is gone when closed', async () => {
    const path = join(folder, 's');
    const socket = await openRecordingSocket({ path, handler, onServed() {} });

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await socket.close();

    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  it('takes the place of what a killed run left behind', async () => {
    const path = join(folder, 's');
    const first = await openRecordingSocket({ path, handler, onServed() {} });
    const second = await openRecordingSocket({ path, handler, onServed() {} });

    expect(await get(path, '/page')).toBe('/page identity');
    await second.close();
    await first.close();
  });

  it('refuses a path that no socket can have', async () => {
    const opening = openRecordingSocket({ path: join(folder, 'x'.repeat(120)), handler, onServed() {} });

    await expect(opening).rejects.toMatchObject({ code: 'bad-path' });
  });
});
