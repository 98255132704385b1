import { describe, expect, it } from 'vitest';
import { readSeccompProfile } from './seccomp.ts';

describe('the list of system calls', () => {
  it('decides each call once', async () => {
    const { syscalls } = await readSeccompProfile('x64');
    const plain = syscalls.filter(({ args }) => args === undefined).flatMap(({ names }) => names);
    const conditional = new Set(syscalls.filter(({ args }) => args !== undefined).flatMap(({ names }) => names));

    expect(plain.filter((name, index) => plain.indexOf(name) !== index || conditional.has(name))).toEqual([]);
  });

  it('closes what it doesn’t know, for one architecture', async () => {
    expect(await readSeccompProfile('x64')).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, architectures: ['SCMP_ARCH_X86_64'] });
    await expect(readSeccompProfile('mips')).rejects.toThrow(/nothing is known of mips/);
  });

  it('allows a clone only without new namespaces', async () => {
    const { syscalls } = await readSeccompProfile('x64');
    const flags = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000;

    expect(syscalls.find(({ names }) => names.includes('clone'))?.args).toEqual([{ index: 0, value: flags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]);
  });
});
