import { createServer } from 'node:http';
import { join } from 'node:path';
import type { SandboxResult } from '@granary/contract/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForTest, type TestSandbox, whyNotHere } from './test/open-for-test.ts';

const reason = await whyNotHere();
const CONNECT = `
import socket, sys, time
def turn_to(host, port, kind=socket.SOCK_STREAM):
    try:
        for family, type_, *_, address in socket.getaddrinfo(host, port, type=kind):
            with socket.socket(family, type_) as s:
                s.settimeout(5)
                s.connect(address)
                if kind == socket.SOCK_DGRAM: s.send(b'hello')
                print(host, 'answers')
    except OSError as error: print(host, type(error).__name__)
`;

describe.skipIf(reason !== undefined)(`a run whose contacts are recorded${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let sandbox: TestSandbox;
  let mirrorSocket: string;
  const mirror = createServer((_, response) => response.end('from the mirror'.repeat(50_000)));
  beforeAll(async () => {
    sandbox = await openForTest();
    mirrorSocket = join(sandbox.scratch, 'mirror.sock');
    await new Promise<void>((resolve) => mirror.listen(mirrorSocket, resolve));
  }, 60_000);
  afterAll(async () => {
    mirror.close();
    await sandbox[Symbol.asyncDispose]();
  });
  /** What each of these programs, a phase each, came to. */
  const record = async (...programs: readonly [string, ...string[]]): Promise<SandboxResult> => {
    const [first, ...later] = programs.map((program) => ({ argv: ['python3', '-I', '-c', CONNECT + program], network: 'mirror', mayFail: true }) as const);
    return await sandbox.attempt('', { phases: first === undefined ? [{}] : [first, ...later], mirrorSocket, recordsContacts: true });
  };

  it('names whom it turned to, by name and by address, and lets it wait for nobody', async () => {
    const started = performance.now();

    const { phases, log } = await record(
      `turn_to('files.example', 443); turn_to('files.example', 8099); turn_to('192.0.2.7', 80); turn_to('2001:db8::7', 4711); turn_to('udp.example', 6000, socket.SOCK_DGRAM)`,
    );

    expect(log.text).toContain('files.example ConnectionRefusedError\n');
    expect(phases[0]?.contacts).toEqual({
      seen: [
        { host: 'files.example', port: 443, protocol: 'tcp' },
        { host: 'files.example', port: 8099, protocol: 'tcp' },
        { host: '192.0.2.7', port: 80, protocol: 'tcp' },
        { host: '2001:db8::7', port: 4711, protocol: 'tcp' },
        { host: 'udp.example', port: 6000, protocol: 'udp' },
      ],
      leftOut: 0,
    });
    expect(performance.now() - started).toBeLessThan(15_000);
  }, 30_000);

  it('tells the phases apart, and who only looked up a name or asked a name server of its own', async () => {
    const query = String.raw`b'\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06hidden\x07example\x00\x00\x01\x00\x01'`;

    const { phases } = await record(
      `turn_to('first.example', 80); sys.exit(3)`,
      `socket.gethostbyname('only-looked-up.example')`,
      `socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(${query}, ('192.0.2.53', 53))`,
      `print('nobody')`,
    );

    expect(phases.map(({ end }) => end)).toEqual([3, 0, 0, 0].map((code) => ({ type: 'exited', code })));
    expect(phases.map(({ contacts }) => contacts?.seen)).toEqual([
      [{ host: 'first.example', port: 80, protocol: 'tcp' }],
      [{ host: 'only-looked-up.example', protocol: 'lookup' }],
      [
        { host: 'hidden.example', protocol: 'lookup' },
        { host: '192.0.2.53', port: 53, protocol: 'udp' },
      ],
      [],
    ]);
  }, 30_000);

  it('counts neither the mirror nor the machine itself', async () => {
    const { phases, log } = await record(`
import urllib.request
for _ in range(20): last = urllib.request.urlopen('http://127.0.0.1:3128/').read()
print(len(last)); turn_to('localhost', 4711); turn_to('127.0.0.9', 4711); turn_to(socket.gethostname(), 4711)`);

    expect(log.text).toContain('750000\n');
    expect(phases[0]?.contacts).toEqual({ seen: [], leftOut: 0 });
  }, 30_000);

  it('names a hundred and counts the rest', async () => {
    const { phases } = await record(`for number in range(130): turn_to('host-%d.example' % number, 443)`);

    expect(phases[0]?.contacts?.seen.length).toBe(100);
    expect(phases[0]?.contacts?.leftOut).toBe(30);
  }, 30_000);

  it('is not led astray by marks that the code makes up, nor by a flood', async () => {
    const { phases } = await record(
      `
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
turn_to('before.example', 443)
own.sendto(b'1 0', ('127.0.0.1', 9)); own.sendto(b'contact {}' * 5000, ('127.0.0.1', 9))
end = time.time() + 3
while time.time() < end: own.sendto(b'x' * 60000, ('127.0.0.1', 10))
`,
      `turn_to('after.example', 443)`,
    );

    expect(phases.map(({ contacts }) => contacts?.seen)).toEqual([
      [{ host: 'before.example', port: 443, protocol: 'tcp' }],
      [{ host: 'after.example', port: 443, protocol: 'tcp' }],
    ]);
  }, 30_000);
});
