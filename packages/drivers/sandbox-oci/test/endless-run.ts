import { readdirSync } from 'node:fs';
import { memoryStore } from '@granary/contract/memory';
import { toSha256 } from '@granary/core/model';
import { openOciSandbox } from '../index.ts';
import { LIMITS } from './open-for-test.ts';

// Started by a test, which kills it: a run that ends by itself on no account.
const [cacheDir = ''] = process.argv.slice(2);
const rootfs = toSha256(readdirSync(cacheDir).find((name) => /^[0-9a-f]{64}$/.test(name)) ?? '');
const sandbox = await openOciSandbox({ blobs: memoryStore().blobs, rootfsCacheDir: cacheDir, scratchDir: `${cacheDir}-scratch` });
process.stdout.write('open\n');
await sandbox.run({
  id: 'endless',
  rootfs,
  inputs: [],
  outputDir: 'out',
  limits: LIMITS,
  phases: [{ name: 'endless', argv: ['sh', '-c', "trap '' TERM; setsid sleep 7462 & sleep 7462"], env: {}, network: 'none', timeoutMs: 3_600_000 }],
});
