import { type Checked, type CheckRequest, type ClaimedSource, claimedSource, type Declared, EcosystemError } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { hashGoMod, hashZip, MAX_GO_MOD_BYTES, MAX_ZIP_BYTES } from './dirhash.ts';
import type { ModuleVersion } from './go-mod.ts';
import { kindOf, pathOf } from './names.ts';
import { parseInfo } from './schema.ts';
import { databaseOf, isLeftOut } from './sumdb/database.ts';
import { proveRecord } from './sumdb/prove-record.ts';
import { hashIn } from './sumdb/record.ts';

const MAX_INFO_BYTES = 2 ** 20;

/** A commit's time, which its author set: nobody else tells when a version came out. And where the version comes from: what the proxy says, or else what the path does. */
export async function readDeclared(artifact: Artifact, bytes: Uint8Array): Promise<Declared> {
  const info = kindOf(artifact.fileName) === 'info' && bytes.length <= MAX_INFO_BYTES ? parseInfo(bytes) : undefined;
  if (info === undefined) return {};
  const path = pathOf(artifact.purl);
  const source = info.origin === 'unstated' ? repositoryOfPath(path) : withFolderOf(path, info.origin);
  return { ...(info.time === undefined ? {} : { publishedAt: info.time }), ...(source === undefined ? {} : { source }) };
}

/** The folder that the tool names is without that of a major version, which may or may not be there: the go.mod tells. */
function withFolderOf(path: string, origin: ClaimedSource | undefined): ClaimedSource | undefined {
  if (origin?.directory === undefined || !/\/v\d+$/.test(path)) return origin;
  const { directory: _, ...others } = origin;
  return others;
}

/**
 * Forges keep repositories at `host/owner/name`, and paths of modules in them begin so; some hosts keep each major version at `host/name.v2`. Of other paths only their host's
 * pages tell which repository is meant: shorter ones claim none, and of longer ones there is none where this one says, which costs a question an hour. Where in the repository it
 * lies, its go.mod tells.
 */
function repositoryOfPath(path: string): ClaimedSource | undefined {
  const [host, owner, name] = path.replace(/\/v\d+$/, '').split('/');
  if (name !== undefined) return claimedSource({ repository: `https://${host}/${owner}/${name}` });
  return owner !== undefined && /\.v\d+$/.test(owner) ? claimedSource({ repository: `https://${host}/${owner}` }) : undefined;
}

/** The hash of what a file holds, and what the checksum database says of it. */
export async function checkModule(request: CheckRequest): Promise<Checked> {
  const { artifact, read } = request;
  const of = { path: pathOf(artifact.purl), version: purlParts(artifact.purl).version ?? '' };
  const kind = kindOf(artifact.fileName);
  switch (kind) {
    case undefined:
      throw new EcosystemError('malformed', `${artifact.fileName}: no file of a module`);
    case 'info': {
      const info = parseInfo(await read(MAX_INFO_BYTES));
      if (info?.version !== of.version)
        throw new EcosystemError('mismatch', `${of.path}@${of.version}: its .info is of ${info?.version ?? 'nothing that can be read'}`);
      return { evidence: [{ check: 'sumdb', state: 'absent' }] };
    }
    case 'mod':
      return await checkHash(request, { ...of, kind, h1: hashGoMod(await read(MAX_GO_MOD_BYTES)) });
    case 'zip':
      return await checkHash(request, { ...of, kind, h1: await hashZip(await read(MAX_ZIP_BYTES), `${of.path}@${of.version}/`) });
  }
}

interface HashedFile extends ModuleVersion {
  readonly kind: 'mod' | 'zip';
  readonly h1: string;
}

async function checkHash({ upstreamBase, settings, held, fetch }: CheckRequest, file: HashedFile): Promise<Checked> {
  const digests = { h1: file.h1 };
  const unchecked = (why: string): Checked => ({ digests, evidence: [{ check: 'sumdb', state: 'unchecked', why }] });
  const database = databaseOf(settings['GOSUMDB'], upstreamBase);
  if (database === undefined) return unchecked('no checksum database is configured');
  if (isLeftOut(settings['GONOSUMDB'], file.path)) return unchecked('GONOSUMDB names it');
  const proven = await proveRecord({ database, held, fetch }, file);
  if (proven === undefined) return unchecked(`upstream doesn't pass on what ${database.key.name} says`);
  const recorded = hashIn(proven.record, file.path, file.version, file.kind);
  if (recorded !== file.h1) {
    const what = `${file.path}@${file.version}${file.kind === 'mod' ? '/go.mod' : ''}`;
    throw new EcosystemError('mismatch', `${what}: its bytes have ${file.h1}, the checksum database ${database.key.name} has ${recorded ?? 'nothing'}`);
  }
  return { digests, evidence: [{ check: 'sumdb', state: 'checked', by: database.key.name }], beside: proven.beside };
}
