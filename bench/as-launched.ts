import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = join(import.meta.dirname, '..');

/** Node with the flags that `./granary` starts it with, read from there. */
export const NODE: readonly [string, ...string[]] = [process.execPath, ...flagsOf(readFileSync(join(ROOT, 'granary'), 'utf8'))];

/** Where `./granary` keeps compiled code: a site that is started again finds it there. */
export const COMPILE_CACHE = join(ROOT, '.toolchain/compile-cache');

function flagsOf(launcher: string): readonly string[] {
  const [, flags = ''] = /^exec \S+((?: --[a-z-]+(?:=\d+)?)+) /m.exec(launcher) ?? [];
  if (flags === '') throw new Error('./granary starts Node without flags: say here how it does');
  return flags.trim().split(' ');
}
