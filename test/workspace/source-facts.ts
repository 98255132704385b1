import { parseSync, Visitor } from 'oxc-parser';

/** What one source file asks of the world: the modules it names, and the ambient powers it takes. */
export type SourceFacts = {
  /** Specifiers of imports, re-exports, `import()` and `import('…')` types, as written. */
  readonly imports: readonly string[];
  /** Such as `process.env`, `Date.now`, `new Date()`, `fetch`. */
  readonly ambient: readonly string[];
};

/** Globals that are a clock, an environment, chance, a network or a terminal. */
const AMBIENT_GLOBALS = new Set(['process', 'fetch', 'performance', 'console', 'setTimeout', 'setInterval', 'WebSocket', 'EventSource']);
const AMBIENT_MEMBERS = new Set(['Date.now', 'Math.random', 'crypto.randomUUID', 'crypto.getRandomValues', 'process.env']);

/** Reads TypeScript or JavaScript without running it; throws on a syntax error. */
export function sourceFacts(path: string, text: string): SourceFacts {
  const { program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const imports: string[] = [];
  const ambient: string[] = [];
  new Visitor({
    ImportDeclaration: (node) => void imports.push(node.source.value),
    ExportAllDeclaration: (node) => void imports.push(node.source.value),
    ExportNamedDeclaration: (node) => void (node.source && imports.push(node.source.value)),
    ImportExpression: (node) => void imports.push(node.source.type === 'Literal' ? String(node.source.value) : '(computed)'),
    TSImportType: (node) => void imports.push(node.source.value),
    CallExpression: (node) => void (node.callee.type === 'Identifier' && AMBIENT_GLOBALS.has(node.callee.name) && ambient.push(node.callee.name)),
    NewExpression: (node) => {
      if (node.callee.type !== 'Identifier') return;
      if (node.callee.name === 'Date' && node.arguments.length === 0) ambient.push('new Date()');
      if (AMBIENT_GLOBALS.has(node.callee.name)) ambient.push(node.callee.name);
    },
    MemberExpression: (node) => {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
      const name = `${node.object.name}.${node.property.name}`;
      if (AMBIENT_MEMBERS.has(name)) ambient.push(name);
      else if (AMBIENT_GLOBALS.has(node.object.name)) ambient.push(name);
    },
  }).visit(program);
  return { imports, ambient };
}
