import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { GIT_ENVIRONMENT, git } from './clean-git.ts';

const BYTES_PER_COMMIT = 40_000;

/** A bare repository as it is served and compared with: what is mirrored of it and nothing else, in one pack with a bitmap. */
export async function prepareRepository(from: string, into: string): Promise<void> {
  await git('init', '--quiet', '--bare', into);
  await git('-C', into, 'symbolic-ref', 'HEAD', await git('-C', from, 'symbolic-ref', 'HEAD'));
  const kept = ['heads', 'tags', 'notes'].map((kind) => `+refs/${kind}/*:refs/${kind}/*`);
  // As from another machine: of objects that these refs don't reach, none come.
  await git('-C', into, 'fetch', '--quiet', '--no-tags', pathToFileURL(from).href, ...kept);
  await git('-C', into, 'repack', '-a', '-d', '--quiet', '--write-bitmap-index');
  await git('-C', into, 'config', 'gc.auto', '0');
}

/** Text that nobody wrote: a new file with each commit, and a line changed in an older one. Always the same. */
export async function makeRepository(folder: string, megabytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git('init', '--quiet', '--bare', '--initial-branch=main', folder);
  const importer = spawn('git', ['-C', folder, 'fast-import', '--quiet'], { env: GIT_ENVIRONMENT, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(importer, 'close');
  await pipeline(Readable.from(commits(Math.ceil((megabytes * 1e6) / BYTES_PER_COMMIT))), importer.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import: exit ${code}`);
}

/** git-fast-import(1). */
function* commits(count: number): Generator<string> {
  for (let number = 1; number <= count; number += 1) {
    const older = Math.ceil(number / 2);
    const message = `change ${number}`;
    yield `commit refs/heads/main\ncommitter A <a@maintainer.example> ${1_600_000_000 + number * 60} +0000\n`;
    yield `data ${message.length}\n${message}\n`;
    yield fileOf(number, textOf(number));
    if (older < number) yield fileOf(older, `${textOf(older)}line of ${number}\n`);
  }
}

function fileOf(number: number, text: string): string {
  return `M 100644 inline folder-${number % 50}/file-${number}\ndata ${text.length}\n${text}\n`;
}

/** Hexadecimal digits hold four bits of eight: as compressible as a program. */
function textOf(number: number): string {
  const lines: string[] = [];
  for (let at = 0; at < (BYTES_PER_COMMIT * 2) / 129; at += 1) lines.push(createHash('sha512').update(`${number} ${at}`).digest('hex'));
  return `${lines.join('\n')}\n`;
}
