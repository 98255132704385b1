import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for one test, in which git knows no configuration but the folder's, and the same commands give the same ids. */
export interface GitFolder extends Disposable {
  readonly path: string;
  /** Runs a shell script in the folder and returns what it printed. Throws when it fails. */
  sh(script: string, options?: { readonly input?: Uint8Array; readonly protocol?: 0 | 1 | 2 }): Buffer;
}

export function gitFolder(script = ''): GitFolder {
  const path = mkdtempSync(join(tmpdir(), 'granary-git-'));
  const folder: GitFolder = {
    path,
    sh: (text, { input, protocol } = {}) => {
      const script = `${ENVIRONMENT}${protocol === undefined ? '' : `export GIT_PROTOCOL=version=${protocol}`}\n${text}`;
      const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], { cwd: path, input, maxBuffer: 2 ** 28 });
      if (status !== 0) throw new Error(`${text.slice(0, 200)}: exit ${status}: ${stderr}`);
      return stdout;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
  folder.sh(script);
  return folder;
}

/** What a server says to a client that asks in a protocol's version, over smart HTTP. */
export function advertised(folder: GitFolder, repository: string, version: 0 | 1 | 2): Buffer {
  return folder.sh(`git upload-pack --http-backend-info-refs ${repository}`, { protocol: version });
}

export function answered(folder: GitFolder, repository: string, { body, version }: { readonly body: Uint8Array; readonly version: 0 | 2 }): Buffer {
  return folder.sh(`git upload-pack --stateless-rpc ${repository}`, { input: body, protocol: version });
}

/** A stream of bytes in pieces of a size. */
export async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Set in the shell, so that the rest of the environment is inherited. */
const ENVIRONMENT = `unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=Author GIT_AUTHOR_EMAIL=author@git.example GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=Committer GIT_COMMITTER_EMAIL=committer@git.example GIT_COMMITTER_DATE='1700000000 +0000'
`;
