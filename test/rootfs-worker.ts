import { readFileSync } from 'node:fs';
import { openRootFilesystems } from '@granary/driver-sandbox-oci';
import { openFsStore } from '@granary/driver-store-fs';

// A worker that has nothing but a store and a recipe: prints the digest of the root filesystem that it makes of them.
const [storeFolder = '', recipeFile = '', outFolder = ''] = process.argv.slice(2);
await using store = await openFsStore(storeFolder);
const rootFilesystems = await openRootFilesystems({ blobs: store.blobs, rootfsCacheDir: `${outFolder}/rootfs`, scratchDir: `${outFolder}/scratch` });
process.stdout.write('open\n');
process.stdout.write(`${await rootFilesystems.prepare(JSON.parse(readFileSync(recipeFile, 'utf8')))}\n`);
