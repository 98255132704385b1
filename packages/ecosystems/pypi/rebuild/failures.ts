import type { FailureClass } from '@granary/core/model';
import { z } from 'zod';
import { NEEDS_FILE } from './build-script.ts';

const Needs = z.array(z.string().max(500)).min(1).max(100);

/** Requirement lines that the build script wrote down before it gave up; undefined when it failed for another reason. */
export function readNeeds(outputs: readonly { readonly path: string; readonly bytes: Uint8Array }[]): readonly string[] | undefined {
  const file = outputs.find(({ path }) => path === NEEDS_FILE);
  if (file === undefined) return undefined;
  const needs = Needs.safeParse(parseJson(new TextDecoder().decode(file.bytes)));
  return needs.success ? needs.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** In this order: what is said first in the list explains what comes after it. */
const SIGNS: readonly (readonly [sign: RegExp, failureClass: FailureClass])[] = [
  [/No space left on device|Disk quota exceeded/, 'disk-full'],
  [/MemoryError|Cannot allocate memory/, 'out-of-memory'],
  [/No solution found when resolving|not found in the package registry|has no wheels with a matching|no versions? of /i, 'dependency-unavailable'],
  [/Hash mismatch/, 'digest-mismatch'],
  [/error: command '[^']*(gcc|cc|clang|g\+\+|c\+\+)' failed|command '[^']*' failed: No such file or directory|linker `?cc`? not found/, 'toolchain-missing'],
  [/(can't find|cannot find|could not find|not find|requires?) (a )?(rust|cargo|compiler|cmake|ninja)|maturin failed/i, 'toolchain-missing'],
  [/Temporary failure in name resolution|Network is unreachable|Connection refused|Failed to establish a new connection/, 'dependency-unavailable'],
];

/** Why a build that exited so failed, from the end of its log. */
export function classifyFailure(log: string): FailureClass {
  return SIGNS.find(([sign]) => sign.test(log))?.[1] ?? 'build-failed';
}
