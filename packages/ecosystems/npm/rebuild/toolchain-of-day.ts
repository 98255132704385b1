import type { RebuildSubject } from '@granary/contract/ecosystem';
import { type Instant, toInstant } from '@granary/core/model';
import { satisfies } from 'semver';
import { NODE } from '../toolchain.ts';
import { lineOf, npmWith } from './node-lines.ts';
import type { SourceTree } from './source-tree.ts';
import { enginesOf, type StatedTool, toolsByRegistry, toolsBySource } from './stated-tools.ts';
import { formatTool } from './tool-requirement.ts';

/** Node and npm that a package was probably made with, as the registry carries them. */
export interface ToolchainOfDay {
  readonly asOf: Instant;
  readonly node: StatedTool;
  readonly npm: StatedTool;
}
export interface Runtime {
  readonly node: string;
  readonly npm: string;
}

/** Nobody publishes much later than he commits; registries that copied others say when they did. */
const MOST_BETWEEN_MS = 90 * 86_400_000;

/** What the root filesystem brings: `24.12.0+npm.12.0.1` (npmToolchain). */
export function readRuntime(runtimeVersion: string): Runtime {
  const [, node = runtimeVersion, npm = ''] = /^([^+]+)\+npm\.(.+)$/.exec(runtimeVersion) ?? [];
  return { node, npm };
}

/**
 * What the registry says of the release, else what the project asks for, else the line that had long-term support when it was published, each with the npm that came with it. Undefined where
 * nobody says when that was, and where it is what the root filesystem has.
 */
export function toolchainOfDay(subject: RebuildSubject, tree: SourceTree, folders: readonly string[]): ToolchainOfDay | undefined {
  const asOf = dayOf(subject.target.publishedAt, tree.committedAt);
  if (asOf === undefined) return undefined;
  const [registry, source] = [toolsByRegistry(subject), toolsBySource(tree, folders)];
  const node = registry.node ?? source.node ?? usualNode(asOf, enginesOf(tree.manifest(folders[0] ?? '')));
  const npm = registry.npm ?? source.npm ?? { range: npmWith(node.range, asOf), from: `the npm that came with Node ${node.range}` };
  const root = readRuntime(subject.runtimeVersion);
  return satisfies(root.node, node.range) && satisfies(root.npm, npm.range) ? undefined : { asOf, node, npm };
}

function usualNode(asOf: Instant, engines: string | undefined): StatedTool {
  const { major } = lineOf(asOf, engines);
  return { range: `^${major}`, from: `the line with long-term support on ${asOf.slice(0, 10)}` };
}

/** When it was published, if that isn't obviously when a registry took it in; then it is the commit's time. */
function dayOf(publishedAt: Instant | undefined, committedSeconds: number | undefined): Instant | undefined {
  const committedAt = committedSeconds === undefined || committedSeconds <= 0 ? undefined : toInstant(committedSeconds * 1000);
  if (publishedAt === undefined || committedAt === undefined) return publishedAt ?? committedAt;
  return Date.parse(publishedAt) - Date.parse(committedAt) > MOST_BETWEEN_MS ? committedAt : publishedAt;
}

export function requirementsOfDay({ asOf, node, npm }: ToolchainOfDay): Readonly<Record<'node' | 'npm', string>> {
  return { node: formatTool({ name: NODE, range: node.range, asOf }), npm: formatTool({ name: 'npm', range: npm.range, asOf }) };
}
