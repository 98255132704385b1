import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestSigstore } from '@granary/driver-attestations-sigstore/test';
import { expect, it, onTestFinished } from 'vitest';
import { openAttestations } from './attestations.ts';

it('has no roots of trust where none are configured', async () => {
  expect(await openAttestations({ sigstore: undefined })).toBe(undefined);
});

it('takes those of a file, and names the file that it can’t use', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'granary-roots-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { trustedRoot: root } = await openTestSigstore();
  const opened = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(folder, name), bytes);
    return openAttestations({ sigstore: { trustedRoot: join(folder, name) } });
  };

  expect(await opened('trusted_root.json', root)).toHaveProperty('verify');
  // The same, and more spaces behind it than any file of roots has.
  await expect(opened('large.json', `${Buffer.from(root)}${' '.repeat(2 ** 20)}`)).rejects.toThrow(/large\.json is no trusted root/);
  await expect(opened('empty.json', '{}')).rejects.toThrow(/sigstore\.trustedRoot: .*empty\.json is no trusted root/);
  await expect(openAttestations({ sigstore: { trustedRoot: join(folder, 'missing.json') } })).rejects.toThrow(
    /missing\.json can't be read; name an existing file/,
  );
});
