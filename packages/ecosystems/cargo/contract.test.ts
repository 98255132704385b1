import { ecosystemContract } from '@granary/contract/suites';
import { sha256 } from '@granary/core/model';
import { cargo } from './index.ts';
import { packagePurl } from './names.ts';

const lines = ['1.0.0', '1.1.0'].map((vers) => JSON.stringify({ name: 'ember', vers, deps: [], features: {}, cksum: sha256(vers), yanked: false }));
const lock = `version = 4\n\n[[package]]\nname = "ember"\nversion = "1.0.0"\nsource = "sparse+https://registry.example/"\nchecksum = "${sha256('1.0.0')}"\n`;

ecosystemContract({
  ecosystem: cargo,
  document: { bytes: new TextEncoder().encode(`${lines.join('\n')}\n`), contentType: 'text/plain', package: packagePurl('ember') },
  lockfile: { fileName: 'Cargo.lock', bytes: new TextEncoder().encode(lock) },
});
