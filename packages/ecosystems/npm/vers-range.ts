import { valid } from 'semver';

const COMPARATOR = /^(>=|<=|!=|<|>|=)?\s*([0-9A-Za-z.+-]+)$/;
const MAX_CONSTRAINTS = 100;

/** VERS (package-url/vers-spec), `vers:npm/>=1.0.0|<2.0.0`, as a range that npm understands; undefined when it isn't one. Constraints are in order of version. */
export function rangeOfVers(text: string): string | undefined {
  const constraints = /^vers:npm\/(.+)$/.exec(text)?.[1]?.split('|', MAX_CONSTRAINTS + 1) ?? [];
  if (constraints.length === 0 || constraints.length > MAX_CONSTRAINTS) return undefined;
  if (constraints.length === 1 && constraints[0] === '*') return '*';
  const alternatives: string[] = [];
  let from: string | undefined = '';
  for (const constraint of constraints) {
    const [, comparator = '=', version = ''] = COMPARATOR.exec(constraint.trim()) ?? [];
    if (valid(version) === null) return undefined;
    if (comparator === '=') alternatives.push(version);
    else if (comparator.startsWith('>')) from = `${comparator}${version} `;
    else if (comparator === '!=') {
      // npm has no "not": what lies before and after it.
      if (from !== undefined) alternatives.push(`${from}<${version}`);
      from = `>${version} `;
    } else {
      alternatives.push(`${from ?? ''}${comparator}${version}`);
      from = undefined;
    }
  }
  if (from !== undefined && from !== '') alternatives.push(from.trim());
  return alternatives.join(' || ');
}
