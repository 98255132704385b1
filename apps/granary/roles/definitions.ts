import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, ConfigError, type DefinitionFile, MAX_DEFINITION_FILE_BYTES, parseDefinitionFile } from '@granary/config';
import { type Ecosystem, EcosystemError, encodeWritten, type WrittenDefinition, type WrittenDefinitions, type WrittenEntry } from '@granary/contract/ecosystem';
import { type Purl, packageOf, parsePurl, purlParts, sha256, toPurl } from '@granary/core/model';
import { ecosystemOf, ecosystems } from '@granary/ecosystems';

/** What operators wrote down, read once at the start. */
export interface Definitions extends WrittenDefinitions {
  /** Packages that something is written of. */
  readonly packages: number;
}

const MAX_FILES = 10_000;
/** `golang/forge.example/…`: no name of a package has more parts. */
const MAX_DEPTH = 16;
const SUFFIX = '.yaml';

/**
 * Reads every file of the configured folder: `npm/%40house/lamp.yaml` is about `pkg:npm/%40house/lamp`. Undefined where none is configured. Throws ConfigError, which names the file,
 * for whatever isn't understood: what is ignored in silence would be believed to count.
 */
export async function readDefinitions({ definitions: folder }: Pick<Config, 'definitions'>): Promise<Definitions | undefined> {
  if (folder === undefined) return undefined;
  const written = new Map<Purl, OfPackage>();
  for (const path of await filesBelow(folder, folder, 0)) {
    const file = join(folder, path);
    const ofPackage = await readFileOf(path, file);
    written.set(ofPackage.package, ofPackage);
  }
  return { packages: written.size, of: (artifact) => entryOf(written.get(packageOf(artifact.purl)), artifact.purl) };
}

type Release = DefinitionFile['releases'][number];
interface OfPackage {
  readonly package: Purl;
  readonly releases: readonly { readonly admits: (version: string) => boolean; readonly entry: WrittenEntry }[];
}

function entryOf(ofPackage: OfPackage | undefined, purl: Purl): WrittenEntry | undefined {
  const version = ofPackage === undefined ? undefined : purlParts(purl).version;
  return version === undefined ? undefined : ofPackage?.releases.find(({ admits }) => admits(version))?.entry;
}

/** Paths of files below the folder, `/`-separated and sorted. Throws ConfigError for whatever is neither folder nor definition. */
async function filesBelow(root: string, folder: string, depth: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    // What editors and version control leave there.
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory() && depth < MAX_DEPTH) found.push(...(await filesBelow(root, path, depth + 1)));
    else if (entry.isFile() && entry.name.endsWith(SUFFIX)) found.push(path.slice(root.length + 1));
    else if (!/^README/i.test(entry.name)) throw new ConfigError(`${path}: expected folders, and files such as npm/lamp${SUFFIX}; links are not followed`);
    if (found.length > MAX_FILES) throw new ConfigError(`${root}: more than ${MAX_FILES} definitions`);
  }
  return found;
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (cause) {
    throw new ConfigError(`definitions: ${folder}: can't be read; name a folder, or leave definitions: out`, { cause });
  }
}

async function readFileOf(path: string, file: string): Promise<OfPackage> {
  const { ecosystem, packagePurl } = packageOfPath(path, file);
  const bytes = await readBounded(file);
  const { parsed, placeOf } = parseDefinitionFile(bytes, file);
  const fileSha256 = sha256(bytes);
  const releases = parsed.releases.map((release, at) => {
    const refuse = (place: readonly PropertyKey[], why: string) =>
      new ConfigError(`${placeOf(['releases', at, ...place])}: releases.${at}.${place.join('.')}: ${why}`);
    refuseBuild(ecosystem, release, refuse);
    const definition = definitionOf(release, { file: path, fileSha256 });
    const entry: WrittenEntry = { definition, sha256: sha256(encodeWritten(definition)), file: bytes };
    return { admits: admitting(ecosystem, packagePurl, release.versions, (why) => refuse(['versions'], why)), entry };
  });
  return { package: packagePurl, releases };
}

/** Never more than may be taken, whatever it grows to meanwhile. */
async function readBounded(file: string): Promise<Uint8Array> {
  await using handle = await open(file).catch((cause: unknown) => {
    throw new ConfigError(`${file}: can't be read`, { cause });
  });
  const buffer = new Uint8Array(MAX_DEFINITION_FILE_BYTES + 1);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return buffer.slice(0, bytesRead);
}

/** Of which there is one in every ecosystem: names are read from releases. */
const ANY_VERSION = '1.0.0';

interface NamedPackage {
  readonly ecosystem: Ecosystem;
  readonly packagePurl: Purl;
}

/** Its path is that of its package URL, in the one form that this has: another spelling would be a file that nobody reads, or two of one package. */
function packageOfPath(path: string, file: string): NamedPackage {
  const [type = '', ...name] = path.slice(0, -SUFFIX.length).split('/');
  const ecosystem = ecosystemOf(type);
  const known = ecosystems.filter(isWritable).map(({ id }) => id);
  if (ecosystem === undefined || !isWritable(ecosystem))
    throw new ConfigError(`${file}: definitions of ${type} are not taken; expected a folder of ${known.join(', ')}`);
  const fileOf = (purl: Purl) => `${purl.slice('pkg:'.length)}${SUFFIX}`;
  const packagePurl = canonicalPurl(ecosystem, name.join('/'), file);
  if (fileOf(packagePurl) === path) return { ecosystem, packagePurl };
  const meant = ecosystem.demand.packageOfPin({ name: decodeURIComponent(name.join('/')), version: ANY_VERSION });
  throw new ConfigError(`${file}: the package is ${meant}; expected the file ${fileOf(meant)}`);
}

function canonicalPurl({ id, demand }: Ecosystem, text: string, file: string): Purl {
  const purl = parsePurl(`pkg:${id}/${text.replace(/^@/, '%40')}`);
  const parts = purl === undefined ? undefined : purlParts(purl);
  const pin = purl === undefined || parts?.version !== undefined ? undefined : demand.pinOfPurl(toPurl(`${purl}@${ANY_VERSION}`));
  if (pin === undefined) throw new ConfigError(`${file}: not named as a package is`);
  // As its own ecosystem writes it: folders, dots, dashes and capitals mean something else in each.
  const canonical = demand.packageOfPin(pin);
  try {
    if (demand.wishOfPurl(canonical) !== undefined && packageOf(canonical) === canonical) return canonical;
  } catch (cause) {
    if (cause instanceof EcosystemError) throw new ConfigError(`${file}: ${cause.message}`, { cause });
    throw cause;
  }
  throw new ConfigError(`${file}: not named as a package of ${id} is`);
}

function isWritable({ demand, rebuilding }: Ecosystem): boolean {
  return demand.admits !== undefined && rebuilding?.strategy.written !== undefined;
}

function admitting({ demand }: Ecosystem, packagePurl: Purl, versions: string | undefined, refuse: (why: string) => ConfigError): (version: string) => boolean {
  if (versions === undefined) return () => true;
  try {
    const text = encodeURIComponent(versions);
    const wish = demand.wishOfPurl(versions.startsWith('vers:') ? `${packagePurl}?vers=${text}` : `${packagePurl}@${text}`);
    const requirements = wish?.type === 'requirements' ? wish.requirements : [];
    // What no version is ever asked of is refused now and not then.
    for (const requirement of requirements) demand.admits?.(requirement, ANY_VERSION);
    return (version) => requirements.some((requirement) => demand.admits?.(requirement, version) === true);
  } catch (cause) {
    if (cause instanceof EcosystemError) throw refuse(cause.message);
    throw cause;
  }
}

function refuseBuild({ id, rebuilding }: Ecosystem, { build }: Release, refuse: (place: readonly PropertyKey[], why: string) => ConfigError): void {
  const rules = rebuilding?.strategy.written;
  for (const name of Object.keys(build.environment))
    if (rules?.ownVariables.has(name)) throw refuse(['build', 'environment', name], 'the build sets it itself');
  const { requirements } = build;
  if (requirements.length > 0 && rules?.requirementProblem === undefined)
    throw refuse(['build', 'requirements'], `builds of ${id} install what the project's own files ask for, and take no more`);
  for (const [at, text] of requirements.entries()) {
    const problem = rules?.requirementProblem?.(text);
    if (problem !== undefined) throw refuse(['build', 'requirements', at], problem);
  }
}

function definitionOf({ source, build }: Release, { file, fileSha256 }: Pick<WrittenDefinition, 'file' | 'fileSha256'>): WrittenDefinition {
  const { repository, commit, tag, directory } = source;
  return {
    file,
    fileSha256,
    ...(repository === undefined ? {} : { repository }),
    ...(commit === undefined ? {} : { commit }),
    ...(tag === undefined ? {} : { tag }),
    ...(directory === undefined ? {} : { directory }),
    ...build,
  };
}
