import { EcosystemError, type PackageView, type Route, type Views } from '@granary/contract/ecosystem';
import { cratePath, indexPath, isCrateName, isVersion, nameOf, packagePurl } from './names.ts';
import { renderLines } from './render-lines.ts';

const CONFIG = 'config.json';
const INDEX_FILE = /^(?:[12]|3\/[a-z0-9_-]|[a-z0-9_-]{2}\/[a-z0-9_-]{2})\/([a-z0-9_-]+)$/;
const CRATE = /^crates\/([^/]+)\/([^/]+)\.crate$/;

/** What cargo asks of a sparse registry (the Cargo book, registry index), and what it is answered. */
export const cargoViews: Views = {
  route: (path) => (path === CONFIG ? { type: 'fixed', name: CONFIG } : (packageRoute(path) ?? crateRoute(path))),
  mediaTypes(route) {
    switch (route.type) {
      case 'fixed':
        // cargo asks an index for plain text, whatever the document.
        return ['text/plain', 'application/json'];
      case 'artifact':
        return ['application/gzip'];
      case 'root':
      case 'package':
      case 'companion':
        return ['text/plain'];
    }
  },
  renderPackage: (view: PackageView) => renderLines(view),
  renderFixed(name, { address, readers }) {
    if (name !== CONFIG) throw new EcosystemError('unsupported', `render ${name}: a registry of crates has no such document`);
    const dl = `${address}/${cratePath('{crate}', '{version}')}`;
    return encode(JSON.stringify({ dl, ...(readers === 'anyone' ? {} : { 'auth-required': true }) }));
  },
  // Where users get a token (the Cargo book, registry authentication).
  challenge: (publicUrl) => `Cargo login_url="${publicUrl}/"`,
  renderRoot: (packages) => encode(packages.map((purl) => `${nameOf(purl)}\n`).join('')),
  clientHints: (address) => [
    `cargo in .cargo/config.toml of the project, or of the home directory:`,
    `      [source.crates-io]`,
    `      replace-with = "granary"`,
    `      [source.granary]`,
    `      registry = "sparse+${address}/cargo/"`,
    // cargo reads no environment variables for sources.
    `      or for one command: cargo --config 'source.crates-io.replace-with="granary"' --config 'source.granary.registry="sparse+${address}/cargo/"' fetch --locked`,
    `locks Cargo.lock names no address of ours: one made with the mirror holds without it, and the other way round`,
  ],
};

function packageRoute(path: string): Route | undefined {
  const [, name = ''] = INDEX_FILE.exec(path) ?? [];
  return isCrateName(name) && indexPath(name) === path ? { type: 'package', package: packagePurl(name) } : undefined;
}

function crateRoute(path: string): Route | undefined {
  const [, name = '', stem = ''] = CRATE.exec(path) ?? [];
  if (!isCrateName(name) || !stem.startsWith(`${name}-`) || !isVersion(stem.slice(name.length + 1))) return undefined;
  return { type: 'artifact', packages: [packagePurl(name)], path };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
