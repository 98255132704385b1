import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runGit } from './git-lines.ts';
import { gitRunner } from './git-process.ts';
import { findGitTools } from './git-tools.ts';
import { scratchFolder } from './test/scratch-folder.ts';

const LIMITS = { memoryBytes: 2 ** 30, fileBytes: 2 ** 20, cpuSeconds: 60 };

async function runner() {
  const made = gitRunner({ tools: await findGitTools(), threads: 1, limits: LIMITS });
  onTestFinished(() => made.close());
  return made;
}

/** Runs a script in git's place. */
async function inside(
  script: string,
  options: { readonly folder?: string; readonly access?: 'read' | 'write'; readonly timeoutMs?: number } = {},
): Promise<readonly string[]> {
  const places = options.folder === undefined ? [] : [{ folder: options.folder, at: '/repo', access: options.access ?? 'read' } as const];
  return await runGit(await runner(), 'probe', { args: [], script, places, timeoutMs: options.timeoutMs ?? 30_000 });
}

describe('a git that runs', () => {
  it('has no network, not even ours, were a transport allowed', async () => {
    let connections = 0;
    const server = createServer(() => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;

    const [said] = await inside(`GIT_ALLOW_PROTOCOL=http "$0" "$@" -c protocol.allow=always ls-remote http://127.0.0.1:${port}/r 2>&1 | tail -n 1`);

    expect(said).toMatch(/connect/);
    expect(connections).toBe(0);
  });

  it.each(['ext::sh -c id', 'file:///repo', 'http://127.0.0.1:1/r', 'ssh://upstream.example/r', '/repo'])('may use no transport: %s', async (url) => {
    const folder = await scratchFolder();

    const [said = ''] = await inside(`"$0" "$@" ls-remote -- '${url}' 2>&1 | tail -n 1`, { folder });

    expect(said).toMatch(/not allowed|not a git repository|does not appear to be a git repository/);
  });

  it('sees nothing of our environment, our files and our processes, and can write nowhere', async () => {
    const names = (await inside('env')).map((line) => line.split('=')[0]);
    const [top = '', processes = '', ...rest] = await inside(
      'ls / | tr "\\n" " "; echo; ls -d /proc/[0-9]* 2>/dev/null | wc -l; cat /etc/passwd 2>&1 | tail -n 1; touch /x /usr/x /tmp/x 2>&1 | wc -l; whoami 2>&1 | wc -l',
    );

    expect(names.filter((name) => !/^(GIT_|LC_ALL$|TZ$|PATH$|HOME$|PWD$|_$|SHLVL$|OLDPWD$)/.test(name ?? ''))).toEqual([]);
    expect(top.trim().split(' ')).toEqual(expect.not.arrayContaining(['root', 'home', 'tmp', 'var', 'work', 'srv']));
    expect(processes).toBe('0');
    expect(rest[0]).toMatch(/No such file/);
    expect(rest[1]).toBe('3');
  });

  it('may read a repository, and write only where it is told to', async () => {
    const folder = await scratchFolder();

    await expect(inside('touch /repo/x', { folder })).rejects.toMatchObject({ name: 'RepositoryError' });
    await inside('touch /repo/y', { folder, access: 'write' });

    expect(await readdir(folder)).toEqual(['y']);
  });

  it('is ended by its limits: on time, on memory, on the size of a file', async () => {
    const folder = await scratchFolder();

    await expect(inside('sleep 60', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(inside('exec head -c 3000000 /dev/zero > /repo/large', { folder, access: 'write' })).rejects.toMatchObject({ code: 'too-large' });
    await expect(inside('exec python3 -c "b = bytearray(2 ** 31)" 2>&1', {})).rejects.toMatchObject({ name: 'RepositoryError' });
  });

  it('gives way to others where it is told to, with all that it starts', async () => {
    const niceness = async (priority?: 'low') =>
      await runGit(await runner(), 'probe', { args: [], script: 'sh -c nice', places: [], timeoutMs: 30_000, ...(priority === undefined ? {} : { priority }) });

    const [usual, low] = [await niceness(), await niceness('low')];

    expect(Number(low[0])).toBe(Math.min(19, Math.max(10, Number(usual[0]))));
  });

  it('ends when what it is to read fails, with just that error', async () => {
    const gone = new Error('the source is gone');
    const input = async function* () {
      yield 'one';
      throw gone;
    };

    await expect(runGit(await runner(), 'probe', { args: [], script: 'cat', places: [], timeoutMs: 30_000, input: input() })).rejects.toBe(gone);
  });

  it('says what it says without control characters, and not without end', async () => {
    const flood = inside('i=0; while [ $i -lt 3000 ]; do printf "\\033[31m%01000d\\r\\n" $i >&2; i=$((i+1)); done; exit 3');

    await expect(flood).rejects.toMatchObject({ code: 'malformed', message: expect.not.stringMatching(/\p{Cc}/u) });
    await flood.catch((error: unknown) => expect(String(error).length).toBeLessThan(5000));
  });
});

describe('a process that is killed', () => {
  it('takes its gits along, with all that they started', async () => {
    const mark = `31.${process.pid}`;
    const holder = spawn(process.execPath, [join(import.meta.dirname, 'test/git-holder.ts'), mark], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    await expect.poll(() => sleepers(mark), { timeout: 10_000 }).toBeGreaterThan(0);

    holder.kill('SIGKILL');

    await expect.poll(() => sleepers(mark), { timeout: 10_000 }).toBe(0);
  });
});

/** Processes with this word in their command line, in every namespace below ours. */
async function sleepers(word: string): Promise<number> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.startsWith(`sleep\0${word}`)).length;
}
