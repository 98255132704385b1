import type { CommitManifest } from '@granary/contract/ecosystem';
import { z } from 'zod';
import { readSetupCfg } from '../setup-cfg.ts';
import { parseToml } from './parse-toml.ts';
import { normalVersion } from './tag-versions.ts';

/** Files that name a project, those first that tools heed before others. */
export const MANIFESTS = ['pyproject.toml', 'setup.cfg', 'setup.py'] as const;

const Named = z.object({ name: z.string(), version: z.string().optional() });
/** Each table for itself: what one tool wrote badly hides nothing of another. */
const Pyproject = z.object({
  project: Named.optional().catch(undefined),
  tool: z
    .object({
      poetry: Named.partial().optional().catch(undefined),
      flit: z
        .object({ metadata: z.object({ 'dist-name': z.string().optional(), module: z.string() }) })
        .optional()
        .catch(undefined),
      'poetry-dynamic-versioning': z.object({ enable: z.boolean() }).optional().catch(undefined),
    })
    .default({})
    .catch({}),
});

/**
 * What a manifest says of its project, the version in its normal form (PEP 440); read, and never run. A version that is dynamic, or stands in code, is left out, as is a
 * name that isn't plainly there. Undefined for files that name none.
 */
export function readManifest(fileName: string, bytes: Uint8Array): CommitManifest | undefined {
  const text = new TextDecoder().decode(bytes);
  switch (fileName) {
    case 'pyproject.toml':
      return ofPyproject(text);
    case 'setup.cfg':
      return ofSetupCfg(text);
    case 'setup.py':
      return ofSetupPy(text);
    default:
      return undefined;
  }
}

function ofPyproject(text: string): CommitManifest | undefined {
  const parsed = Pyproject.safeParse(parseToml(text));
  if (!parsed.success) return undefined;
  const { project, tool } = parsed.data;
  const { poetry, flit } = tool;
  const name = project?.name ?? poetry?.name ?? flit?.metadata['dist-name'] ?? flit?.metadata.module;
  if (name === undefined) return undefined;
  // Its version is a stand-in, which the plugin replaces by that of a tag.
  const isReplaced = tool['poetry-dynamic-versioning']?.enable === true;
  return manifest(name, project?.version ?? (isReplaced ? undefined : poetry?.version));
}

/** setuptools, Declarative configuration: `attr:` and `file:` say where a version stands. Those are no versions, and left open. */
function ofSetupCfg(text: string): CommitManifest | undefined {
  const metadata = readSetupCfg(text)?.get('metadata');
  const name = metadata?.get('name');
  return name === undefined || name === '' ? undefined : manifest(name, metadata?.get('version'));
}

const NAME_ARGUMENT = /(?:^|[\s,(])name[ \t]*=(?!=)\s{0,200}(?:(["'])([A-Za-z0-9][A-Za-z0-9._-]{0,213})\1[ \t]*(?=[,)#\r\n]|$)|(?=\S))/gm;

/** A name is there plainly if everything that is called `name` is the same literal. A call of `setup` without any has it elsewhere. */
function ofSetupPy(text: string): CommitManifest | undefined {
  const code = text.replace(/^[ \t]*#.*$/gm, '');
  const said = [...code.matchAll(NAME_ARGUMENT)].map(([, , literal]) => literal);
  if (said.length === 0) return undefined;
  const [name, ...others] = new Set(said);
  return name === undefined || others.length > 0 ? {} : { name };
}

function manifest(name: string, version: string | undefined): CommitManifest {
  const normal = version === undefined ? undefined : normalVersion(version);
  return normal === undefined ? { name } : { name, version: normal };
}
