import { type Purl, packageOf, parsePurl, releaseOf, sha256 } from '@granary/core/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ecosystem, EcosystemError, type PackageDocument, type PackageView, type ViewFile } from '../ecosystem/index.ts';

/** An ecosystem, and what an upstream of it would answer. */
export interface EcosystemSubject {
  readonly ecosystem: Ecosystem;
  /** An index document with at least two versions. */
  readonly document: { readonly bytes: Uint8Array; readonly contentType: string; readonly package: Purl };
  /** A lockfile's name and bytes. */
  readonly lockfile: { readonly fileName: string; readonly bytes: Uint8Array };
}

const BASE = 'https://registry.example/base/';
const ADDRESS = 'http://mirror.example/all/tiny';

/** What every ecosystem must do, whatever an upstream, a lockfile or a client sends. */
export function ecosystemContract({ ecosystem, document, lockfile }: EcosystemSubject): void {
  const source = { url: ecosystem.index.documentUrl(BASE, document.package), contentType: document.contentType, package: document.package };
  const parse = (bytes: Uint8Array): PackageDocument => ecosystem.index.parse(bytes, source);

  describe('an index document', () => {
    it('is asked of the upstream that is configured', () => {
      expect(source.url.startsWith('https://registry.example/')).toBe(true);
    });

    it('lists artifacts of its own package, each under a name and a path of its own', () => {
      const { artifacts } = parse(document.bytes);

      expect(new Set(artifacts.map(({ purl }) => releaseOf(purl))).size).toBeGreaterThan(1);
      expect(artifacts.map(({ purl }) => packageOf(purl))).toEqual(artifacts.map(() => document.package));
      expect(artifacts.map(({ purl }) => parsePurl(purl))).toEqual(artifacts.map(({ purl }) => purl));
      expect(new Set(artifacts.map(({ purl }) => purl)).size).toBe(artifacts.length);
      expect(new Set(artifacts.map(({ path }) => path)).size).toBe(artifacts.length);
    });

    it('that was damaged on the way is read or refused as malformed, and nothing else happens', () => {
      fc.assert(fc.property(damaged(document.bytes), (bytes) => onlyEcosystemErrors(() => parse(bytes))));
    });

    it('that is anything at all is read or refused as malformed, and nothing else happens', () => {
      const anything = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytesOf), fc.string().map(bytesOf), fc.constant(bytesOf('['.repeat(100_000))));
      fc.assert(fc.property(anything, (bytes) => onlyEcosystemErrors(() => parse(bytes))));
    });
  });

  describe('a path', () => {
    it('of every artifact leads to it', () => {
      for (const { path } of parse(document.bytes).artifacts)
        expect(ecosystem.views.route(path)).toMatchObject({ type: 'artifact', path, packages: expect.arrayContaining([document.package]) });
    });

    it('that is anything at all is understood or not, and never leads out', () => {
      const paths = fc.oneof(
        fc.webPath(),
        fc.string(),
        fc.array(fc.constantFrom('..', '.', '@', '!', '-', '%2f', '\0', 'a', '@v', 'é')).map((parts) => parts.join('/')),
      );
      fc.assert(
        fc.property(paths, (path) => {
          const route = ecosystem.views.route(path.replace(/^\//, ''));
          if (route?.type === 'artifact') expect(route.path.split('/')).not.toContain('..');
        }),
      );
    });
  });

  describe('an index that is served', () => {
    it('lists what the view shows, with the digests that upstream stated', () => {
      const { artifacts } = parse(document.bytes);
      const shown = artifacts.filter(({ purl }) => releaseOf(purl) === releaseOf(artifacts.at(-1)?.purl ?? document.package));

      const again = rendered({ ecosystem, document }, shown);

      expect(again.artifacts.map(({ purl, digests }) => ({ purl, digests }))).toEqual(shown.map(({ purl, digests }) => ({ purl, digests })));
    });

    it('of nothing lists nothing', () => {
      // As an upstream's, an empty index may be refused.
      onlyEcosystemErrors(() => expect(rendered({ ecosystem, document }, []).artifacts).toEqual([]));
    });
  });

  describe('a wish', () => {
    it('is only of the purls of its own type', () => {
      expect(ecosystem.demand.wishOfPurl('pkg:nothing/box')).toBe(undefined);
      for (const { purl } of parse(document.bytes).artifacts) expect(ecosystem.demand.wishOfPurl(releaseOf(purl) ?? purl)?.type).toBe('requirements');
    });

    it('that is anything at all is understood or refused, and nothing else happens', () => {
      const texts = fc.oneof(
        fc.string(),
        fc.string().map((text) => `pkg:${ecosystem.id}/${text}`),
        fc.string().map((text) => `${document.package}@${text}`),
      );
      fc.assert(fc.property(texts, (text) => onlyEcosystemErrors(() => ecosystem.demand.wishOfPurl(text))));
    });

    it('comes from a lockfile as pins of packages', () => {
      expect(ecosystem.demand.isLockfile(lockfile.fileName)).toBe(true);
      const wish = ecosystem.demand.wishOfLockfile(lockfile.fileName, lockfile.bytes);
      const pins = wish.type === 'pins' ? wish.pins : [];

      expect(pins.length).toBeGreaterThan(0);
      for (const pin of pins) expect(packageOf(ecosystem.demand.packageOfPin(pin))).toMatch(new RegExp(`^pkg:${ecosystem.id}/`));
    });

    it('from a damaged lockfile is understood or refused, and nothing else happens', () => {
      const bytes = fc.oneof(damaged(lockfile.bytes), fc.uint8Array({ maxLength: 200 }), fc.json().map(bytesOf));
      fc.assert(fc.property(bytes, (text) => onlyEcosystemErrors(() => ecosystem.demand.wishOfLockfile(lockfile.fileName, text))));
    });
  });

  it("reads only what this machine's package manager says of its upstream", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (output) => {
        const found = ecosystem.discovery.parse(output);
        if (found !== undefined) expect(URL.canParse(found.index)).toBe(true);
      }),
    );
  });

  it('reads attestations that are anything at all, or refuses them as malformed, and nothing else happens', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytesOf), fc.constant(bytesOf('['.repeat(100_000))));
    fc.assert(fc.property(bytes, (given) => onlyEcosystemErrors(() => ecosystem.attestations?.bundlesOf(given))));
  });

  it('reads nothing out of an artifact that is no archive', async () => {
    const [artifact] = parse(document.bytes).artifacts;
    if (artifact === undefined) return expect.fail('the document lists nothing');
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => void (await ecosystem.declared(artifact, bytes))));
  });
}

/** What clients are shown of these artifacts, read again as an upstream's. */
function rendered({ ecosystem, document }: Pick<EcosystemSubject, 'ecosystem' | 'document'>, shown: PackageDocument['artifacts']): PackageDocument {
  const url = ecosystem.index.documentUrl(BASE, document.package);
  const digest = sha256(document.bytes);
  const files = shown.map(({ purl, fileName, path, digests }): ViewFile => {
    return { purl, fileName, path, sha256: digests.sha256 ?? sha256(path), sizeBytes: 1, document: digest, companions: [] };
  });
  const documents = new Map([[digest, { bytes: document.bytes, url, contentType: document.contentType }]]);
  const view: PackageView = { package: document.package, address: ADDRESS, documents, document: digest, files, reconstructed: false };
  const [mediaType = ''] = ecosystem.views.mediaTypes({ type: 'package', package: document.package });
  const bytes = ecosystem.views.renderPackage(view, mediaType) ?? new Uint8Array();
  return ecosystem.index.parse(bytes, { url: `${ADDRESS}/index`, contentType: mediaType, package: document.package });
}

/** Cut off, or with a few bytes changed. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: Math.max(0, bytes.length - 1) });
  const cut = at.map((end) => bytes.slice(0, end));
  const changed = fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }).map((changes) => {
    const copy = bytes.slice();
    for (const [index, value] of changes) copy[index] = value;
    return copy;
  });
  return fc.oneof(cut, changed);
}

function onlyEcosystemErrors(step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof EcosystemError)) throw error;
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
