import { CAUSES, type Cause } from '../model/index.ts';
import type { Comparison, Difference, Finding } from './comparison.ts';
import { visible } from './text-diff.ts';

/** The cause that weighs most in a residue, by the order of CAUSES; undefined when nothing is left. */
export function mainCause({ residue }: Comparison): Cause | undefined {
  return CAUSES.findLast((cause) => residue.some((difference) => difference.cause === cause));
}

/** What a comparison found, as plain text for a terminal or a `<pre>`: safe to print, not escaped for HTML. */
export function explainComparison(comparison: Comparison): string {
  return [
    headline(comparison),
    ...section(
      'Rules without which it would not hold:',
      comparison.needed.map(({ name, version, reason }) => `${name} ${version}: ${reason}`),
    ),
    ...section('What a reader must know:', comparison.findings.map(findingLine)),
    ...section('What differs:', comparison.residue.map(differenceLine)),
    ...(comparison.residueOmitted === 0 ? [] : [`  and ${comparison.residueOmitted} more differences`]),
    ...comparison.residue.flatMap(diffLines),
    '',
  ].join('\n');
}

function headline({ rung, residue, residueOmitted }: Comparison): string {
  switch (rung) {
    case 'identical':
      return 'identical: the same bytes';
    case 'identical-content':
      return 'identical-content: the same entries in the same order, compressed differently';
    case 'identical-files':
      return 'identical-files: the same paths, types, executable bits, links and bytes; archive metadata differ';
    case 'equivalent':
      return 'equivalent: the same files after the named rules';
    case 'assisted':
      return 'assisted: the same, with an input taken from the published artifact';
    case 'custom':
      return 'custom: the same by a reviewed rule of this package';
    case 'source-subset':
      return 'source-subset: every file of the archive stands in its source, byte by byte; nothing was built';
    case 'none': {
      const count = residue.length + residueOmitted;
      return `different: ${count} ${count === 1 ? 'difference' : 'differences'} left after normalization`;
    }
  }
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function findingLine({ code, side, path, detail }: Finding): string {
  const where = side === 'both' ? 'on both sides' : side === 'upstream' ? 'upstream' : 'in the rebuild';
  return `${code} ${where}${path === undefined ? '' : `, ${visible(path)}`}: ${visible(detail)}`;
}

function differenceLine({ path, kind, cause, detail }: Difference): string {
  return `${kind.padEnd(13)} ${visible(path)}${cause === undefined ? '' : ` [${cause}]`}${detail === undefined ? '' : `: ${visible(detail)}`}`;
}

function diffLines({ path, diff }: Difference): readonly string[] {
  return diff === undefined ? [] : ['', `--- ${visible(path)}`, visible(diff).trimEnd()];
}
