import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COMPRESS_FILE, COMPRESS_SCRIPT } from './compress-script.ts';
import { compressionOf } from './compressors.ts';

describe('how a tarball was compressed', () => {
  it.each([1, 6, 9])('is read from its header: level %i', (level) => {
    expect(compressionOf(gzipSync('a tar', { level }))).toEqual({ level, system: 3 });
  });

  it('is not known of what no npm wrote', () => {
    const dated = gzipSync('a tar');
    dated[4] = 1;

    expect(compressionOf(dated)).toBeUndefined();
    expect(compressionOf(execFileSync('gzip', ['-c', '--name', join(import.meta.dirname, 'compressors.ts')]))).toBeUndefined();
    expect(compressionOf(Buffer.concat([gzipSync('one'), gzipSync('two')]))).toBeUndefined();
    expect(compressionOf(Buffer.from('no gzip'))).toBeUndefined();
  });
});

it('a tarball is compressed anew as it was asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'granary-compress-'));
  const [script, tarball] = [join(folder, COMPRESS_FILE), join(folder, 'box.tgz')];
  writeFileSync(script, COMPRESS_SCRIPT);
  writeFileSync(tarball, gzipSync('a tar '.repeat(1000), { level: 1 }));

  execFileSync(process.execPath, [script, '9', '255', tarball]);

  const bytes = readFileSync(tarball);
  expect(gunzipSync(bytes).toString()).toBe('a tar '.repeat(1000));
  expect(compressionOf(bytes)).toEqual({ level: 9, system: 255 });
  rmSync(folder, { recursive: true });
});
