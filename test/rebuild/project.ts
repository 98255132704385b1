import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommitRules } from '@granary/contract/ecosystem';
import { memoryStore } from '@granary/contract/memory';
import type { HeldRepository } from '@granary/contract/repository';
import { parseObjectId, type RefState } from '@granary/core/git';
import { formatPurl, type PinnedArtifact, sha256, toInstant } from '@granary/core/model';
import { openRepositories } from '@granary/driver-git-native';
import { publishedFiles, type Release } from '@granary/stage-rebuild';
import { onTestFinished } from 'vitest';

const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@upstream.example',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@upstream.example',
};
const DAY = 86_400;
const START = 1_700_000_000;

/** A project in git, whose packages say in a `package.json` what they are. */
export interface Project {
  /** Commits what these files are now, a day after the last commit; its id. `undefined` deletes. */
  commit(files: Readonly<Record<string, string | undefined>>): string;
  git(...args: readonly string[]): string;
  /** Everything that any ref reaches, as one pack. */
  packed(): PackedProject;
  /** The same, mirrored. */
  hold(): Promise<HeldRepository>;
  /** As it was packed: its files below `package/`. */
  release(
    files: Readonly<Record<string, string>>,
    options?: { readonly version?: string; readonly directory?: string; readonly day?: number },
  ): Promise<Release>;
}

interface PackedProject {
  readonly state: RefState;
  readonly pack: Uint8Array;
}

export function openProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'granary-project-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const work = join(folder, 'work');
  mkdirSync(work);
  let time = START;
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', work, ...args], {
      env: { ...ENVIRONMENT, GIT_AUTHOR_DATE: `${time} +0000`, GIT_COMMITTER_DATE: `${time} +0000` },
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    git,
    commit(files) {
      time += DAY;
      for (const [path, text] of Object.entries(files)) {
        if (text === undefined) rmSync(join(work, path));
        else {
          mkdirSync(dirname(join(work, path)), { recursive: true });
          writeFileSync(join(work, path), text);
        }
      }
      git('add', '--all');
      git('commit', '--quiet', '--message', 'change');
      return git('rev-parse', 'HEAD');
    },
    packed: () => packed(work, git),
    hold: () => hold(packed(work, git), mkdtempSync(join(folder, 'held-'))),
    release: (files, { version = '1.0.0', directory, day = 1 } = {}) => releaseOf(join(folder, 'packed'), files, { version, directory, at: START + day * DAY }),
  };
}

function packed(work: string, git: Project['git']): PackedProject {
  const lines = git('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)')
    .split('\n')
    .map((line) => line.split(' '));
  const id = (text: string | undefined) => parseObjectId(text ?? '', 'sha1');
  const refs = new Map(
    lines.flatMap(([name = '', own]) => {
      const found = id(own);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
  const peeled = new Map(
    lines.flatMap(([name = '', , target]) => {
      const found = id(target);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
  const state: RefState = { objectFormat: 'sha1', refs, peeled };
  const input = `${[...refs.values()].join('\n')}\n`;
  return { state, pack: execFileSync('git', ['-C', work, 'pack-objects', '--revs', '--stdout', '--quiet'], { env: ENVIRONMENT, input }) };
}

async function hold({ state, pack }: PackedProject, held: string): Promise<HeldRepository> {
  const repositories = await openRepositories({ folder: held, blobs: memoryStore().blobs, maxBytes: 2 ** 30 });
  onTestFinished(() => repositories[Symbol.asyncDispose]());
  const local = await repositories.open('project', { objectFormat: 'sha1', packs: [] });
  await local.take(inOne(pack), [...state.refs.values()], { maxBytes: 2 ** 26, timeoutMs: 60_000 });
  return { local, state, snapshot: sha256('refs') };
}

async function releaseOf(
  folder: string,
  files: Readonly<Record<string, string>>,
  { version, directory, at }: { readonly version: string; readonly directory: string | undefined; readonly at: number },
): Promise<Release> {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'package', path)), { recursive: true });
    writeFileSync(join(folder, 'package', path), text);
  }
  const packed = execFileSync('tar', ['-C', folder, '-c', 'package'], { maxBuffer: 2 ** 26 });
  const purl = formatPurl({ type: 'npm', name: 'lamp', version, fileName: `lamp-${version}.tgz` });
  const target: PinnedArtifact = {
    purl,
    fileName: `lamp-${version}.tgz`,
    sha256: sha256(packed),
    digests: { sha256: sha256(packed) },
    path: 'lamp',
    publishedAt: toInstant(at * 1000),
  };
  return { target, rules: rulesOf(version), files: await publishedFiles(packed, 'tar', 'sha1'), claimedDirectory: directory };
}

const rulesOf = (version: string): CommitRules => ({
  aliases: () => ['lamp'],
  versions: () => [version],
  manifests: ['package.json'],
  readManifest: (_, bytes) => {
    const { name, version: stated }: { name?: string; version?: string } = JSON.parse(Buffer.from(bytes).toString());
    return { ...(name === undefined ? {} : { name }), ...(stated === undefined ? {} : { version: stated }) };
  },
  isOf: (_, { name }) => name === 'lamp',
  placesOf: (_, path, directory) => [path.replace(/^package\//, directory === '' ? '' : `${directory}/`)],
});

/** Bytes that come at once. */
export async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
