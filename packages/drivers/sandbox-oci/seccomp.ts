import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** Separated by blanks. */
const Names = z
  .string()
  .min(1)
  .transform((names) => names.split(' '));
const Profile = z.object({
  unknownErrno: z.int(),
  allow: z.array(z.object({ why: z.string(), names: Names })),
  allowIf: z.array(
    z.object({ why: z.string(), names: Names, args: z.array(z.object({ index: z.int(), value: z.int(), valueTwo: z.int(), op: z.string() })).min(1) }),
  ),
  refuse: z.array(z.object({ why: z.string(), names: Names, errno: z.int() })),
});

/** The `linux.seccomp` member of an OCI configuration. */
export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo: number; readonly op: string }[];
  }[];
}

/** One architecture and no other: the 32-bit entry points of a 64-bit kernel are closed, and with them a second table of system calls. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

/** Reads `seccomp.json`, where the reasons stand, and puts it into the form of the OCI runtime specification. */
export async function readSeccompProfile(cpuArchitecture: string): Promise<OciSeccomp> {
  const architecture = ARCHITECTURES[cpuArchitecture];
  if (architecture === undefined)
    throw new RangeError(`seccomp profile: nothing is known of ${cpuArchitecture}, only of ${Object.keys(ARCHITECTURES).join(', ')}`);
  const profile = Profile.parse(JSON.parse(await readFile(new URL('seccomp.json', import.meta.url), 'utf8')));
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: profile.unknownErrno,
    architectures: [architecture],
    syscalls: [
      ...profile.allow.map(({ names }) => ({ names, action: 'SCMP_ACT_ALLOW' })),
      ...profile.allowIf.map(({ names, args }) => ({ names, args, action: 'SCMP_ACT_ALLOW' })),
      ...profile.refuse.map(({ names, errno }) => ({ names, errnoRet: errno, action: 'SCMP_ACT_ERRNO' })),
    ],
  };
}
