import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '@granary/config';
import type { BlobStore, Repositories } from '@granary/contract/ports';
import { repositoryUrl, rewriteUrl, type UrlRule } from '@granary/core/git';
import type { Purl } from '@granary/core/model';
import { openRepositories } from '@granary/driver-git-native';

const run = promisify(execFile);

/** Repositories on this machine: git is looked for when the first is asked for. Throws RepositoryError `unavailable` then, where it isn't there. */
export function openLocalRepositories(parts: {
  readonly folder: string;
  readonly blobs: BlobStore;
  readonly maxBytes: number;
}): Repositories & AsyncDisposable {
  let opened: Promise<Repositories & AsyncDisposable> | undefined;
  return {
    async open(name, content) {
      opened ??= openRepositories(parts);
      const repositories = await opened.catch((error: unknown) => {
        // Whoever installs it needs no new start.
        opened = undefined;
        throw error;
      });
      return await repositories.open(name, content);
    },
    async [Symbol.asyncDispose]() {
      const repositories = await opened?.catch(() => undefined);
      await repositories?.[Symbol.asyncDispose]();
    },
  };
}

/** Which addresses stand for others: the configuration's, then those of this machine's git. */
export async function discoverUrlRules(config: Pick<Config, 'repositories'>, environment: NodeJS.ProcessEnv): Promise<readonly UrlRule[]> {
  const configured = Object.entries(config.repositories.insteadOf).map(([insteadOf, base]): UrlRule => ({ base, insteadOf }));
  const listed = await run('git', ['config', '--null', '--get-regexp', String.raw`^url\..*\.insteadof$`], { env: environment, timeout: 30_000 }).then(
    ({ stdout }) => stdout,
    // Without git there are no rules of it, and without rules it ends with 1.
    () => '',
  );
  return [...configured, ...parseUrlRules(listed)];
}

/** What `git config --null --get-regexp` prints: key, newline, value, NUL. */
export function parseUrlRules(listed: string): readonly UrlRule[] {
  return listed.split('\0').flatMap((line) => {
    const [, base, insteadOf] = /^url\.(https?:\/\/[^\n]+)\.insteadof\n(.+)$/s.exec(line) ?? [];
    return base === undefined || insteadOf === undefined ? [] : [{ base, insteadOf }];
  });
}

/** Where a repository is read from. */
export function addressBy(rules: readonly UrlRule[]): (repository: Purl) => string {
  return (repository) => rewriteUrl(repositoryUrl(repository), rules);
}
