import { Range } from 'semver';

const COMPARATOR = /^(\^|~|=|>=|<=|>|<)?\s*((?:\d+|\*)(?:\.(?:\d+|\*|[xX])){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/;
const MAX_COMPARATORS = 32;

/**
 * A version requirement as cargo writes it (the Cargo book, specifying dependencies): comparators with commas between them, and a bare version
 * means `^`. Undefined when it is none.
 */
export function parseRequirement(text: string): Range | undefined {
  const comparators = text.split(',').map((part) => COMPARATOR.exec(part.trim()));
  if (comparators.length > MAX_COMPARATORS || comparators.some((comparator) => comparator === null)) return undefined;
  const terms = comparators.map((comparator) => {
    const [, operator, version = '*'] = comparator ?? [];
    return version.includes('*') || operator !== undefined ? `${operator ?? ''}${version}` : `^${version}`;
  });
  try {
    return new Range(terms.join(' '));
  } catch {
    return undefined;
  }
}
