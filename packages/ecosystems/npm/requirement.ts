import { EcosystemError } from '@granary/contract/ecosystem';
import npa from 'npm-package-arg';
import { isPackageName } from './names.ts';

/** What a range of a manifest, or a requirement, means. */
export type Requirement =
  /** `spec`: a version, a range or a tag. */
  | { readonly type: 'registry'; readonly name: string; readonly spec: string }
  /** In git, at an address, in a folder: in no registry. */
  | { readonly type: 'elsewhere'; readonly name: string; readonly spec: string };

/** Longer ones exist to cost time. */
const MAX_SPEC_LENGTH = 1024;

/** `express` with `^5`; `old` with `npm:express@^4`. Throws EcosystemError `bad-spec`. */
export function parseRequirement(name: string, spec: string): Requirement {
  if (!isPackageName(name) || spec.length > MAX_SPEC_LENGTH)
    throw new EcosystemError('bad-spec', `${JSON.stringify(`${name}@${spec}`.slice(0, 200))}: not a name and a range`);
  const parsed = resolved(name, spec);
  if (parsed.type === 'alias' && 'subSpec' in parsed) return aliased(parsed.subSpec, name, spec);
  return parsed.registry ? { type: 'registry', name, spec: spec === '' ? '*' : spec } : { type: 'elsewhere', name, spec };
}

/** `express@^5`, as requirements are written. */
export function splitRequirement(requirement: string): { readonly name: string; readonly spec: string } {
  const at = requirement.indexOf('@', 1);
  return at === -1 ? { name: requirement, spec: '*' } : { name: requirement.slice(0, at), spec: requirement.slice(at + 1) };
}

function aliased({ name, registry, rawSpec }: npa.Result, alias: string, spec: string): Requirement {
  if (!registry || name === null || !isPackageName(name)) return { type: 'elsewhere', name: alias, spec };
  return { type: 'registry', name, spec: rawSpec === '' ? '*' : rawSpec };
}

function resolved(name: string, spec: string): npa.Result | npa.AliasResult {
  // Ours, and unknown to npm: pnpm and yarn write them.
  if (/^(workspace|link|portal|patch|catalog|runtime|jsr):/.test(spec)) return npa.resolve(name, 'file:.');
  try {
    return npa.resolve(name, spec, '/');
  } catch (cause) {
    throw new EcosystemError('bad-spec', `${name}@${spec}: not a version, a range or a tag`, { cause });
  }
}
