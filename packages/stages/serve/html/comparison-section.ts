import type { Comparison, Difference } from '@granary/core/compare';
import { type Html, html } from './html.ts';

/** A page shows at most so much; the whole is one link away. */
const MAX_DIFFERENCES = 100;
const MAX_DIFF_CHARACTERS = 20_000;

/** What was compared, by which rules, and what is left. Everything in it comes from archives of others. */
export function comparisonSection({ rung, needed, findings, residue, residueOmitted }: Comparison): Html {
  const hidden = Math.max(0, residue.length - MAX_DIFFERENCES) + residueOmitted;
  return html`<h3>Comparison: ${rung === 'none' ? 'different' : rung}</h3>
${list(
  'Rules without which it would not hold',
  needed.map(({ name, version, reason }) => `${name} ${version}: ${reason}`),
)}
${list(
  'What a reader must know',
  findings.map(({ code, side, path, detail }) => `${code} (${side})${path === undefined ? '' : ` ${path}`}: ${detail}`),
)}
${residue.length === 0 ? undefined : html`<h4>What differs</h4>\n${residue.slice(0, MAX_DIFFERENCES).map(differenceItem)}`}
${hidden === 0 ? undefined : html`<p>${hidden} more differences are not shown here.</p>`}`;
}

function list(title: string, items: readonly string[]): Html | undefined {
  return items.length === 0 ? undefined : html`<h4>${title}</h4>\n<ul>\n${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}

function differenceItem({ path, kind, cause, detail, diff }: Difference): Html {
  const title = html`<code>${path}</code>: ${kind}${cause === undefined ? '' : `, ${cause}`}${detail === undefined ? '' : `: ${detail}`}`;
  if (diff === undefined) return html`<p>${title}</p>\n`;
  return html`<details open><summary>${title}</summary><pre>${diff.slice(0, MAX_DIFF_CHARACTERS)}${diff.length > MAX_DIFF_CHARACTERS ? '\n… cut here' : ''}</pre></details>\n`;
}
