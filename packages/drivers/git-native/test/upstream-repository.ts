import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './scratch-folder.ts';

const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@upstream.example',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@upstream.example',
};

/** A repository as a project has it, and what its server would send. */
export interface UpstreamRepository {
  readonly folder: string;
  git(...args: readonly string[]): string;
  /** Runs git with these bytes to read. */
  pipe(input: string | Uint8Array, ...args: readonly string[]): string;
  /** Writes and commits a file; the id of the commit. */
  commit(path: string, text: string): string;
  refs(): ReadonlyMap<string, string>;
  /** All that `wants` reach and `haves` don't, thin where there are haves. */
  pack(wants: readonly string[], haves?: readonly string[]): Uint8Array;
}

let clock = 1_700_000_000;

export async function upstreamRepository(objectFormat: 'sha1' | 'sha256' = 'sha1'): Promise<UpstreamRepository> {
  const folder = await scratchFolder();
  const run = (args: readonly string[], input: string | Uint8Array = ''): Buffer =>
    execFileSync('git', ['-C', folder, ...args], {
      env: { ...ENVIRONMENT, GIT_AUTHOR_DATE: `${clock} +0000`, GIT_COMMITTER_DATE: `${clock} +0000` },
      input,
      maxBuffer: 1 << 30,
    });
  const git = (...args: readonly string[]): string => run(args).toString().trim();
  git('init', '--quiet', '--initial-branch=main', `--object-format=${objectFormat}`);
  return {
    folder,
    git,
    pipe: (input, ...args) => run(args, input).toString().trim(),
    commit(path, text) {
      clock += 1;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
      git('add', '--all');
      git('commit', '--quiet', '--message', `change ${path}`);
      return git('rev-parse', 'HEAD');
    },
    refs() {
      const lines = git('for-each-ref', '--format=%(objectname) %(refname)').split('\n').filter(Boolean);
      return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
    },
    pack(wants, haves = []) {
      const input = [...wants, '--not', ...haves].map((line) => `${line}\n`).join('');
      return run(
        ['pack-objects', '--revs', '--stdout', '--quiet', ...(haves.length > 0 ? ['--thin'] : [])],
        haves.length > 0 ? input : wants.map((id) => `${id}\n`).join(''),
      );
    },
  };
}

/** In pieces, as a socket gives them. */
export async function* inPieces(bytes: Uint8Array, size = 16_384): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
