import { normalizeName } from '../names.ts';
import type { SourceTree } from './source-tree.ts';
import type { Generator } from './wheel-evidence.ts';

/** The tool that made a wheel, as far as its Generator field tells. */
export interface BackendPin {
  readonly family: 'setuptools' | 'other';
  /** Exact requirements read from the artifact. */
  readonly pins: readonly string[];
  /** PEP 517 hooks of the tool. */
  readonly hooks: string;
}
export type BackendReading = BackendPin | 'native-code' | 'unsupported-backend';

export const LEGACY_HOOKS = 'setuptools.build_meta:__legacy__';

/** Backends whose requirement and hooks follow from the name in Generator alone. */
const SIMPLE: Readonly<Record<string, readonly [requirement: string, hooks: string]>> = {
  hatchling: ['hatchling', 'hatchling.build'],
  hatch: ['hatchling', 'hatchling.build'],
  'poetry-core': ['poetry-core', 'poetry.core.masonry.api'],
  'pdm-backend': ['pdm-backend', 'pdm.backend'],
  'pdm-pep517': ['pdm-pep517', 'pdm.pep517.api'],
  pdm: ['pdm-pep517', 'pdm.pep517.api'],
  uv: ['uv-build', 'uv_build'],
  'uv-build': ['uv-build', 'uv_build'],
  whey: ['whey', 'whey'],
};
const NATIVE_TOOLS: ReadonlySet<string> = new Set(['maturin', 'meson', 'meson-python', 'scikit-build', 'scikit-build-core', 'cmake', 'sip', 'setuptools-rust']);
const NATIVE_HOOKS = /^(maturin|mesonpy|scikit_build_core|sipbuild)\b/;
/** Hooks that belong to one tool; any other module is a plugin or the project's own and works with the tool it wraps. */
const TOOL_OF_HOOKS: readonly (readonly [hooks: RegExp, tool: string])[] = [
  [/^setuptools\b/, 'setuptools'],
  [/^flit_core\b/, 'flit-core'],
  [/^flit\b/, 'flit'],
  [/^hatchling\b/, 'hatchling'],
  [/^poetry\.core\b/, 'poetry-core'],
  [/^poetry\.masonry\b/, 'poetry'],
  [/^pdm\.backend\b/, 'pdm-backend'],
  [/^pdm\.pep517\b/, 'pdm-pep517'],
  [/^uv_build\b/, 'uv-build'],
];

/** Which backend to use and at which version. Without a Generator, whatever the source asks for. */
export function readBackend(generator: Generator | undefined, tree: SourceTree): BackendReading {
  if (generator === undefined) return declaredBackend(tree);
  const { tool, version } = generator;
  const name = normalizeName(tool);
  const at = (project: string) => (version === undefined ? project : `${project}==${version}`);
  if (name === 'bdist-wheel' || name === 'wheel') return setuptools([at('wheel')]);
  if (name === 'setuptools') return setuptools([at('setuptools')]);
  if (name === 'flit' || name === 'flit-core') return flit(at, version ?? '', tree);
  if (name === 'poetry') return poetry(at, version ?? '');
  const simple = SIMPLE[name];
  if (simple !== undefined) return { family: 'other', pins: [at(simple[0])], hooks: simple[1] };
  if (NATIVE_TOOLS.has(name)) return 'native-code';
  const declared = declaredBackend(tree);
  const named = tree.buildSystem?.requires.some((line) => requirementName(line) === name) === true;
  return named && typeof declared === 'object' ? { ...declared, pins: [at(tool)] } : declared;
}

/** The hooks to call: the source's own, unless they are another tool's than the one that made the wheel. */
export function hooksFor(pin: BackendPin, tree: SourceTree): { readonly hooks: string; readonly declared: boolean } {
  const { buildSystem } = tree;
  if (buildSystem === undefined) return { hooks: pin.hooks, declared: false };
  if (buildSystem.backend === undefined) return { hooks: pin.hooks, declared: pin.family === 'setuptools' };
  const tool = toolOf(buildSystem.backend);
  return tool === undefined || tool === toolOf(pin.hooks) ? { hooks: buildSystem.backend, declared: true } : { hooks: pin.hooks, declared: false };
}

/** The project a PEP 508 line names, in its normal form. */
export function requirementName(line: string): string {
  return normalizeName(/^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(line)?.[1] ?? '');
}

function toolOf(hooks: string): string | undefined {
  return TOOL_OF_HOOKS.find(([pattern]) => pattern.test(hooks))?.[1];
}

function setuptools(pins: readonly string[]): BackendPin {
  return { family: 'setuptools', pins, hooks: LEGACY_HOOKS };
}

/** Since 2.0 the hooks are a project of their own, with flit's version numbers. */
function flit(at: (project: string) => string, version: string, tree: SourceTree): BackendPin {
  const whole = /^[01]\./.test(version) || tree.buildSystem?.backend === 'flit.buildapi';
  return { family: 'other', pins: [at(whole ? 'flit' : 'flit-core')], hooks: whole ? 'flit.buildapi' : 'flit_core.buildapi' };
}

/** poetry-core wrote `poetry` and its own version until 1.1; poetry 1.1 and 1.2 built with it. */
function poetry(at: (project: string) => string, version: string): BackendPin {
  return /^1\.[01]\./.test(version)
    ? { family: 'other', pins: [at('poetry-core')], hooks: 'poetry.core.masonry.api' }
    : { family: 'other', pins: [at('poetry')], hooks: 'poetry.masonry.api' };
}

function declaredBackend({ buildSystem, hasSetupPy, hasSetupCfg }: SourceTree): BackendReading {
  const hooks = buildSystem?.backend;
  if (hooks !== undefined && toolOf(hooks) !== 'setuptools') return NATIVE_HOOKS.test(hooks) ? 'native-code' : { family: 'other', pins: [], hooks };
  return buildSystem !== undefined || hasSetupPy || hasSetupCfg ? setuptools([]) : 'unsupported-backend';
}
