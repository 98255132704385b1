import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { memoryStore } from '@granary/contract/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForTest, type TestSandbox, whyNotHere } from './test/open-for-test.ts';

const reason = await whyNotHere();

describe.skipIf(reason !== undefined)(`foreign code${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let sandbox: TestSandbox;
  beforeAll(async () => {
    sandbox = await openForTest();
  }, 60_000);
  afterAll(async () => sandbox[Symbol.asyncDispose]());

  it('has pipes for standard input, output and error, and cannot change the devices of the host through them', async () => {
    const before = ['/dev/null', '/dev/zero', '/dev/tty'].map((device) => statSync(device));

    const { log } = await sandbox.attempt(
      'chmod 600 /dev/null /dev/zero /dev/tty /dev/stdin /dev/stdout /dev/stderr; stat -L -c %F /dev/stdin /dev/stdout /dev/stderr; ls /proc/self/fd',
    );

    expect(log.text).toContain("'/dev/null': Operation not permitted");
    expect(log.text).toMatch(/fifo\nfifo\nfifo\n0\n1\n2\n3\n$/);
    expect(['/dev/null', '/dev/zero', '/dev/tty'].map((device) => statSync(device)).map(({ mode, uid, gid }) => [mode, uid, gid])).toEqual(
      before.map(({ mode, uid, gid }) => [mode, uid, gid]),
    );
  });

  it('ends its own processes where it means all of its group, or everybody, and none of ours', async () => {
    const neighbour = spawn('sleep', ['60']);

    const ends: string[] = [];
    for (const script of ['kill -9 0', 'kill -9 -1', "trap '' TERM; kill -TERM 0; kill -HUP -1; sleep 1; kill -9 -$$"]) {
      const { phases } = await sandbox.attempt(script);
      ends.push(phases[0]?.end.type ?? 'nothing');
    }

    expect(ends).toHaveLength(3);
    expect(neighbour.exitCode ?? neighbour.signalCode).toBeNull();
    neighbour.kill('SIGKILL');
  });

  it('reaches the mirror and nothing else while it fetches, and nothing at all while it builds', async () => {
    const socket = join(sandbox.scratch, 'mirror.sock');
    const mirror = createServer((_, response) => response.end('from the mirror')).listen(socket);
    const host = createServer((_, response) => response.end('from the host')).listen(0, '127.0.0.1');
    await Promise.all([once(mirror, 'listening'), once(host, 'listening')]);
    const { port } = host.address() as AddressInfo;
    const program = `
import socket, urllib.request
def reach(port):
    try: return urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=3).read().decode()
    except OSError as error: return str(error)
print([reach(3128), reach(${port})])
print([line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]])
for address in ('192.0.2.1', '169.254.169.254'):
    try: socket.create_connection((address, 80), 3); print('reached')
    except OSError as error: print(error.errno)
`;
    const argv = ['python3', '-I', '-c', program] as const;

    const { log } = await sandbox.attempt('', {
      mirrorSocket: socket,
      phases: [
        { argv, network: 'mirror' },
        { argv, network: 'none' },
      ],
    });

    mirror.close();
    host.close();
    const refused = '<urlopen error [Errno 111] Connection refused>';
    expect(log.text.split('\n')).toEqual([
      `['from the mirror', '${refused}']`,
      "['lo']",
      '101',
      '101',
      `['${refused}', '${refused}']`,
      "['lo']",
      '101',
      '101',
      '',
    ]);
  });

  it('sees no file of the host, and can write to its work dir and /tmp only', async () => {
    const marker = join(sandbox.scratch, 'marker');
    writeFileSync(marker, 'of the host');

    const { log } = await sandbox.attempt(
      `cat /etc/shadow ${marker}; ls /tmp /root /home; for at in / /etc /usr/bin /dev /proc /work /tmp; do touch $at/x 2>/dev/null && echo wrote $at; done; ls -A /mnt /sys`,
    );

    expect(log.text).not.toContain('of the host');
    expect(log.text).toContain('/etc/shadow: No such file or directory');
    expect(log.text.match(/wrote .*/g)).toEqual(['wrote /work', 'wrote /tmp']);
  });

  it('cannot write to /proc, and has no /sys', async () => {
    const targets = [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/hostname',
      '/proc/sysrq-trigger',
      '/proc/1/oom_score_adj',
      '/proc/self/uid_map',
      '/proc/self/setgroups',
      '/sys/kernel/uevent_helper',
    ];

    const { log } = await sandbox.python(`
import os
for path in ${JSON.stringify(targets)}:
    try: os.write(os.open(path, os.O_WRONLY), b'-1000'); print('wrote', path)
    except OSError as error: print(error.strerror)
`);

    expect(log.text.trim().split('\n')).toHaveLength(targets.length);
    expect(log.text).not.toContain('wrote');
  });

  it('is refused the system calls that lead out', async () => {
    const { log } = await sandbox.python(`
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
calls = dict(unshare=(272, 0x10000000), setns=(308, 0, 0), mount=(165, 0, 0, 0, 0, 0), umount2=(166, 0, 0), pivot_root=(155, 0, 0), chroot=(161, 0), fsopen=(430, 0, 0), open_tree=(428, -1, 0, 0),
  ptrace=(101, 0, 0, 0, 0), process_vm_readv=(310, 1, 0, 0, 0, 0, 0), keyctl=(250, 0, 0), add_key=(248, 0, 0, 0, 0, 0), bpf=(321, 0, 0, 0), perf_event_open=(298, 0, 0, 0, 0, 0), userfaultfd=(323, 0),
  personality=(135, 0x0040000), open_by_handle_at=(304, 0, 0, 0), init_module=(175, 0, 0, 0), kexec_load=(246, 0, 0, 0, 0), clone_newuser=(56, 0x10000011, 0, 0, 0, 0),
  clone3=(435, 0, 0), io_uring_setup=(425, 1, 0), unknown=(9999,))
for name, call in calls.items():
    ctypes.set_errno(0)
    print(name, libc.syscall(*call), ctypes.get_errno())
for family in (40, 38, 17, 16):
    try: socket.socket(family, socket.SOCK_RAW if family != 40 else socket.SOCK_STREAM, 9 if family == 16 else 0); print('made', family)
    except OSError as error: print('socket', family, error.errno)
`);

    const lines = log.text.trim().split('\n');
    expect(lines).toHaveLength(27);
    const absent = ['clone_newuser', 'clone3', 'io_uring_setup', 'unknown'];
    for (const line of lines.slice(0, 23)) expect(line).toBe(`${line.split(' ')[0]} -1 ${absent.includes(line.split(' ')[0] ?? '') ? 38 : 1}`);
    expect(lines.slice(23)).toEqual(['socket 40 38', 'socket 38 38', 'socket 17 38', 'socket 16 38']);
  });

  it('can still start threads and processes', async () => {
    const { log } = await sandbox.python(`
import concurrent.futures as futures, multiprocessing, subprocess
print(list(futures.ThreadPoolExecutor(4).map(abs, [-1, -2])), subprocess.run(['id', '-u'], capture_output=True).stdout)
with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-3]))
`);

    expect(log.text).toBe("[1, 2] b'1000\\n'\n[3]\n");
  });

  it('gets no further than its share with a fork bomb', async () => {
    const { phases, log } = await sandbox.python(
      'import os, time\nwhile True:\n  try: os.fork()\n  except OSError as error: print(error.errno, flush=True); time.sleep(1)\n',
      { phases: [{ timeoutMs: 2000 }] },
    );

    expect(phases[0]?.end).toEqual({ type: 'killed', by: 'timeout' });
    expect(log.text).toContain('11\n');
  });

  it('gets no further than its share of disk', async () => {
    const { log } = await sandbox.attempt('dd if=/dev/zero of=/work/full bs=1M; rm -f /work/full; dd if=/dev/zero of=/tmp/full bs=1M');

    expect(log.text.match(/No space left on device/g)).toHaveLength(2);
  });

  it('is killed when it takes more memory than its share, files included', async () => {
    const hog = await sandbox.python('hog = bytearray(1 << 30)');
    const child = await sandbox.python('import subprocess, sys; sys.exit(subprocess.run([sys.executable, "-c", "bytearray(1 << 30)"]).returncode and 4)');
    const files = await sandbox.attempt('dd if=/dev/zero of=/work/full bs=1M', { limits: { diskBytes: 2 ** 30 } });

    for (const { phases } of [hog, child, files]) expect(phases[0]?.end).toEqual({ type: 'killed', by: 'out-of-memory' });
  });

  it('has nothing but regular files taken from it', async () => {
    const { outputs, refused, log } = await sandbox.attempt(`
      mkdir out; cd out; echo plain > plain; echo mode > mode; chmod 0 mode; ln plain hard; ln -s /etc/passwd link; ln -s . loop; mkfifo fifo; touch setuid setgid; chmod 4755 setuid; chmod 2755 setgid
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'; mknod device c 1 3; mkdir dir; touch "$(printf 'new\\nline')" "$(printf 'latin\\351')" 'back\\slash'`);

    expect(outputs.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['hard', 'plain\n'],
      ['mode', 'mode\n'],
      ['plain', 'plain\n'],
    ]);
    expect(refused.map(({ path, why }) => [path, why])).toEqual([
      ['back\\slash', 'a name that other systems read differently'],
      ['fifo', 'named pipe'],
      ['latin\ufffd', 'a name that other systems read differently'],
      ['link', 'symbolic link'],
      ['loop', 'symbolic link'],
      ['new?line', 'a name that other systems read differently'],
      ['setgid', 'set-user-id or set-group-id'],
      ['setuid', 'set-user-id or set-group-id'],
      ['out', '1 sockets'],
    ]);
    expect(log.text).toContain('mknod: device: Operation not permitted');
  });

  it('cannot have another folder collected in place of its own', async () => {
    const link = await sandbox.attempt('ln -s /etc out');
    const above = await sandbox.attempt('mkdir real; ln -s / real/up', { outputDir: 'real/up/etc' });

    expect(link).toMatchObject({ outputs: [], refused: [{ path: 'out', why: 'symbolic link' }] });
    expect(above).toMatchObject({ outputs: [], refused: [{ path: 'real/up/etc', why: 'symbolic link' }] });
  });

  it('has no more taken from it than its limits', async () => {
    const sparse = await sandbox.python('import os; os.mkdir("out"); open("out/small", "w"); os.truncate(os.open("out/z", os.O_CREAT | os.O_RDWR), 1 << 60)');
    const many = await sandbox.attempt('mkdir out; for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do touch out/$i$j; done; done');

    expect(sparse.outputs.map(({ path }) => path)).toEqual(['small']);
    expect(sparse.refused).toEqual([{ path: 'z', why: 'more than 1048576 bytes of outputs' }]);
    expect(many.outputs).toHaveLength(20);
    expect(many.refused).toMatchObject([{ why: 'more than 20 entries' }]);
  });

  it('cannot drown us in output', async () => {
    const { log, phases } = await sandbox.attempt('yes', { phases: [{ timeoutMs: 1000 }] });

    expect(phases[0]?.end).toEqual({ type: 'killed', by: 'timeout' });
    expect(log.truncated).toBe(true);
    expect(log.text).toHaveLength(65_536);
  });

  it('leaves no process behind, however it tries', async () => {
    const { outputs } = await sandbox.attempt(
      `mkdir out; touch out/done; trap '' TERM HUP; (setsid sh -c "trap '' TERM HUP; sleep 7461" >/dev/null 2>&1 </dev/null &) ; (sleep 7461 &)`,
    );

    expect(outputs).toHaveLength(1);
    expect(processesLike('7461')).toEqual([]);
  });

  it('does not outlive this process: no process and no mount is left, and cgroups are swept at the next start', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('test/endless-run.ts', import.meta.url)), sandbox.cacheDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    for (let attempt = 0; attempt < 100 && processesLike('7462').length === 0; attempt += 1) await sleep(50);
    const mounts = mountsHere();
    expect(processesLike('7462')).not.toEqual([]);

    child.kill('SIGKILL');
    await once(child, 'close');
    for (let attempt = 0; attempt < 100 && processesLike('7462').length > 0; attempt += 1) await sleep(20);

    expect(processesLike('7462')).toEqual([]);
    expect(mountsHere()).toBe(mounts);
    const { openOciSandbox } = await import('./index.ts');
    const left = cgroupsNamed('-endless');
    // The kernel lets go of who was killed a moment later, on a busy machine: until then a cgroup can't be removed.
    await expect.poll(() => left.map((path) => readFileSync(join(path, 'cgroup.procs'), 'utf8')).join('')).toBe('');
    await (await openOciSandbox({ blobs: memoryStore().blobs, rootfsCacheDir: sandbox.cacheDir, scratchDir: join(sandbox.scratch, 'scratch') }))[
      Symbol.asyncDispose
    ]();
    expect(left.length).toBeGreaterThan(0);
    expect(cgroupsNamed('-endless')).toEqual([]);
  });
});

function processesLike(argument: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return line.includes(argument) || line.some((part) => part.includes(`sleep ${argument}`)) ? [line.join(' ')] : [];
      } catch {
        return [];
      }
    });
}

function mountsHere(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}

function cgroupsNamed(suffix: string): readonly string[] {
  return execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `granary-*${suffix}`], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}
