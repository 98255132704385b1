import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';

export interface ParsedYaml<T> {
  readonly parsed: T;
  /** `file:line:column` of the value at a path, or of the nearest one around it. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
}

/** One document of YAML, in the shape of a schema. Throws ConfigError, which names file, line and what was expected. */
export function parseYaml<S extends z.ZodType>(text: string, file: string, schema: S): ParsedYaml<z.output<S>> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const placeAt = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const placeOf = (path: readonly PropertyKey[]) => placeAt(offsetOf(document, path));
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new ConfigError(`${placeAt(problem.pos[0])}: not YAML: ${problem.message}`);
  visit(document, {
    // Whoever builds objects of keys drops it, and nothing that is written may be passed over.
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__') throw new ConfigError(`${placeAt(key.range?.[0] ?? 0)}: __proto__ is no key`);
    },
  });
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return { parsed: parsed.data, placeOf };
  const lines = parsed.error.issues.map((issue) => `${placeOf(pathOf(issue))}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new ConfigError(lines.join('\n'));
}

function pathOf(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  return issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
}

/** The place of the value at fault, or of the nearest one around it. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) return Number(node.range[0]);
  }
  return 0;
}
