import { ecosystemContract } from '@granary/contract/suites';
import { sha256 } from '@granary/core/model';
import { pypi } from './index.ts';
import { packagePurl } from './names.ts';

const files = ['1.0.0', '1.1.0'].flatMap((version) =>
  [`sample_box-${version}-py3-none-any.whl`, `sample_box-${version}.tar.gz`].map((filename) => ({
    filename,
    url: `https://files.registry.example/packages/${sha256(filename).slice(0, 2)}/${sha256(filename).slice(2, 4)}/${sha256(filename).slice(4)}/${filename}`,
    hashes: { sha256: sha256(filename) },
    'upload-time': '2024-01-01T00:00:00Z',
    yanked: false,
  })),
);
const document = { meta: { 'api-version': '1.1' }, name: 'sample-box', files };
const lock = `version = 1\n[[package]]\nname = "sample-box"\nversion = "1.0.0"\nsource = { registry = "https://registry.example/simple" }\nsdist = { url = "x", hash = "sha256:${sha256('x')}" }\n`;

ecosystemContract({
  ecosystem: pypi,
  document: {
    bytes: new TextEncoder().encode(JSON.stringify(document)),
    contentType: 'application/vnd.pypi.simple.v1+json',
    package: packagePurl('sample-box'),
  },
  lockfile: { fileName: 'uv.lock', bytes: new TextEncoder().encode(lock) },
});
