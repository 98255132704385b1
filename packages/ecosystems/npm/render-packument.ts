import { EcosystemError, type PackageView, type ViewFile } from '@granary/contract/ecosystem';
import { parseInstant, purlParts, type Sha256 } from '@granary/core/model';
import { tagsOf } from './dist-tags.ts';
import { nameOf } from './names.ts';
import { type Packument, parsePackument } from './packument.ts';
import { asObject, type RawManifest } from './schema.ts';

/** What clients need to resolve and to install; the rest of a manifest is for people. */
const ABBREVIATED: readonly string[] = [
  'name',
  'version',
  'deprecated',
  'license',
  'dependencies',
  'optionalDependencies',
  'devDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'acceptDependencies',
  'bundleDependencies',
  'bundledDependencies',
  'bin',
  'directories',
  'dist',
  'engines',
  'os',
  'cpu',
  'libc',
  'funding',
  '_hasShrinkwrap',
  'hasInstallScript',
];
const INSTALL_SCRIPTS: readonly string[] = ['preinstall', 'install', 'postinstall'];

/** What a view shows of a package, taken from upstream's documents. */
interface Shown {
  readonly name: string;
  readonly document: () => RawManifest;
  readonly distTags: Readonly<Record<string, string>>;
  readonly versions: ReadonlyMap<string, RawManifest>;
  readonly time: Readonly<Record<string, string>>;
}

/** The document as upstream wrote it, less what isn't shown: versions, their times, tags, and tarballs at our address. */
export function renderFull(view: PackageView): Uint8Array {
  const { document, distTags, versions, time } = show(view);
  return encode({ ...document(), 'dist-tags': distTags, versions: Object.fromEntries(versions), time });
}

/** As clients want it for installing, with the time of every version, which upstream leaves out and pnpm needs. */
export function renderAbbreviated(view: PackageView): Uint8Array {
  const { name, distTags, versions, time } = show(view);
  const abbreviated = [...versions].map(([version, manifest]) => [version, abbreviate(manifest)] as const);
  const modified = time['modified'];
  return encode({ name, ...(modified === undefined ? {} : { modified }), 'dist-tags': distTags, versions: Object.fromEntries(abbreviated), time });
}

export function renderDistTags(view: PackageView): Uint8Array {
  return encode(show(view).distTags);
}

/** One version by its number or by a tag; undefined when it isn't shown. */
export function renderVersion(view: PackageView, versionOrTag: string): Uint8Array | undefined {
  const { distTags, versions } = show(view);
  const tagged = Object.hasOwn(distTags, versionOrTag) ? distTags[versionOrTag] : undefined;
  const manifest = versions.get(versionOrTag) ?? versions.get(tagged ?? '');
  return manifest === undefined ? undefined : encode(manifest);
}

/** Throws EcosystemError `malformed` when a document doesn't list what the view takes from it. */
function show(view: PackageView): Shown {
  const packuments = new Map<Sha256, Packument>();
  for (const [digest, { bytes, url }] of view.documents) packuments.set(digest, parsePackument(bytes, url));
  const anchor = packuments.get(view.document);
  if (anchor === undefined) throw new EcosystemError('malformed', `render ${view.package}: document ${view.document} is not among those of the view`);
  const shown = view.files.map((file) => {
    const packument = packuments.get(file.document);
    const { version = '' } = purlParts(file.purl);
    const manifest = packument?.manifest(version);
    if (manifest === undefined) throw new EcosystemError('malformed', `render ${view.package}: document ${file.document} does not list ${version}`);
    return { version, manifest: toShown(manifest, file, view.address), time: packument?.time().get(version), vanished: file.vanishedAt !== undefined };
  });
  return {
    name: nameOf(view.package),
    document: () => anchor.fields(),
    distTags: tagsOf(anchor.distTags(), shown),
    versions: new Map(shown.map(({ version, manifest }) => [version, manifest])),
    time: timesOf(anchor, view, new Map(shown.flatMap(({ version, time }) => (time === undefined ? [] : [[version, time] as const])))),
  };
}

/** npm and pnpm pass over what is deprecated while there is something else: so what upstream removed is, and who pinned it goes on getting it. */
function toShown(manifest: RawManifest, { path, vanishedAt }: ViewFile, address: string): RawManifest {
  return {
    ...manifest,
    ...(vanishedAt === undefined ? {} : { deprecated: `removed upstream, noticed ${vanishedAt.slice(0, 10)}` }),
    dist: { ...asObject(manifest['dist']), tarball: `${address}/${path}` },
  };
}

/** `created` and `modified` of the document, and the time of each version shown. As of a moment nothing was modified later. */
function timesOf({ time }: Packument, { asOf }: PackageView, shown: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const [created, modified] = [time().get('created'), time().get('modified')];
  const isLater = asOf !== undefined && (parseInstant(modified ?? '') ?? '') > asOf;
  const last = [...shown.values()].sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  const changed = isLater ? last : modified;
  return {
    ...(created === undefined ? {} : { created }),
    ...(changed === undefined ? {} : { modified: changed }),
    ...Object.fromEntries(shown),
  };
}

function abbreviate(manifest: RawManifest): RawManifest {
  const scripts = asObject(manifest['scripts']) ?? {};
  const hasInstallScript = manifest['hasInstallScript'] === undefined && INSTALL_SCRIPTS.some((name) => Object.hasOwn(scripts, name));
  const kept = ABBREVIATED.flatMap((field) => (Object.hasOwn(manifest, field) ? [[field, manifest[field]] as const] : []));
  return { ...Object.fromEntries(kept), ...(hasInstallScript ? { hasInstallScript } : {}) };
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
