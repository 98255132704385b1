import type { HttpResponse } from '@granary/contract/ports';
import { type Comparison, decodeComparison } from '@granary/core/compare';
import { isSecurityFinding, type Purl, packageOf, parseSha256, releaseOf } from '@granary/core/model';
import { describePackage, describeRelease } from '../api/describe.ts';
import type { ArtifactDocument, PackageDocument } from '../api/schemas.ts';
import { labelOf } from '../holding.ts';
import type { Holdings } from '../holdings.ts';
import type { ServePorts } from '../serve-ports.ts';
import { comparisonSection } from './comparison-section.ts';
import { type Html, html } from './html.ts';
import { htmlAnswer } from './layout.ts';

const MAX_COMPARISON_BYTES = 16 * 2 ** 20;

/** What was found out about each file of a release; for a package, its releases. Undefined when nothing of it is held. */
export async function releasePage(ports: ServePorts, holdings: Holdings, purl: Purl): Promise<HttpResponse | undefined> {
  const holding = holdings.of(packageOf(purl));
  const release = releaseOf(purl);
  if (release === undefined) {
    const described = describePackage(holding);
    return described && htmlAnswer(labelOf(purl), packageMain(described));
  }
  const described = describeRelease(ports, holding, release);
  if (described === undefined) return undefined;
  const sections = await Promise.all(described.artifacts.map(async (artifact) => artifactSection(artifact, await comparisonOf(ports, artifact))));
  const main = html`<p>Package URL <code>${release}</code>. As data: <a href="/api/v1/releases/${encodeURIComponent(release)}">JSON</a>.</p>
${holding.quarantine === undefined ? undefined : html`<p class="bad">The package is quarantined: ${holding.quarantine}</p>`}
${sections}`;
  return htmlAnswer(labelOf(release), main);
}

async function comparisonOf({ blobs }: ServePorts, { comparison }: ArtifactDocument): Promise<Comparison | undefined> {
  const digest = parseSha256(comparison ?? '');
  const bytes = digest && (await blobs.read(digest, MAX_COMPARISON_BYTES));
  return bytes && decodeComparison(bytes);
}

function packageMain({ releases }: PackageDocument): Html {
  const items = releases.map(
    ({ purl, artifacts, verdicts }) =>
      html`<li><a href="/releases/${encodeURIComponent(purl)}">${purl}</a>: ${artifacts} ${artifacts === 1 ? 'file' : 'files'} (${Object.entries(verdicts)
        .map(([verdict, count]) => `${count} ${verdict}`)
        .join(', ')})</li>\n`,
  );
  return html`<ul>\n${items}</ul>`;
}

function artifactSection(artifact: ArtifactDocument, comparison: Comparison | undefined): Html {
  const good = artifact.verdict.startsWith('reproduced') && artifact.quarantine === undefined;
  return html`<section>
<h2>${artifact.fileName}</h2>
${artifact.quarantine === undefined ? undefined : html`<p class="bad">Quarantined: ${artifact.quarantine}</p>`}
${artifact.vanished === undefined || artifact.vanished.state === 'back' ? undefined : html`<p class="bad">Upstream: ${artifact.vanished.state}, noticed ${artifact.vanished.at}. The bytes are kept.</p>`}
<table>
<caption>Verdict</caption>
${row('Verdict', html`<span class="${good ? 'good' : 'bad'}">${artifact.verdict}</span>`)}
${row('Rung', artifact.rung)}
${row('Source tier', artifact.sourceTier)}
${row('Failure class', artifact.failureClass)}
${row('Cause', artifact.cause)}
${(artifact.findings ?? []).map((finding) => row(isSecurityFinding(finding) ? 'Security finding' : 'Finding', html`<span class="${isSecurityFinding(finding) ? 'bad' : ''}">${finding}</span>`))}
${row('Commit', artifact.source === undefined ? undefined : html`<code>${artifact.source.commit}</code> of ${artifact.source.repository}${artifact.source.directory === undefined ? '' : `, in ${artifact.source.directory}`}${artifact.source.ref === undefined ? '' : ` (${artifact.source.ref})`}`)}
${row('Policy of verified', artifact.meetsPolicy ? 'met' : `not met: ${artifact.policyProblem}`)}
${row('SHA-256', html`<code>${artifact.sha256}</code>`)}
${row('Size', `${artifact.sizeBytes} bytes`)}
${row('Published', artifact.publishedAt)}
${row('Stored', artifact.storedAt)}
${row('Licence declared', artifact.licence)}
${row('Rebuilt file', artifact.rebuilt === undefined ? undefined : html`<code>${artifact.rebuilt}</code>`)}
${row('More', links(artifact))}
</table>
${evidenceTable(artifact)}
${comparison === undefined ? undefined : comparisonSection(comparison)}
${factsList(artifact)}
</section>
`;
}

function row(name: string, value: Html | string | undefined): Html | undefined {
  return value === undefined ? undefined : html`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`;
}

function links({ url, sha256, definition, comparison, log, quarantine }: ArtifactDocument): Html {
  const all: readonly (readonly [string, string | undefined])[] = [
    ['the file', quarantine === undefined ? url : undefined],
    ['signed statements', `/api/v1/artifacts/${sha256}/bundles`],
    ['definition', definition && `/api/v1/definitions/${definition}`],
    ['comparison', comparison && `/api/v1/comparisons/${comparison}`],
    ['build log', log && `/api/v1/logs/${log}`],
  ];
  return html`${all.flatMap(([name, href]) => (href === undefined ? [] : [html`<a href="${href}">${name}</a> `]))}`;
}

function evidenceTable({ evidence }: ArtifactDocument): Html {
  const rows = evidence.map(({ check, state, why, by }) => html`<tr><th scope="row">${check}</th><td>${state}</td><td>${why ?? by}</td></tr>\n`);
  return html`<table>
<caption>What upstream offers to check it by</caption>
<thead><tr><th scope="col">Check</th><th scope="col">State</th><th scope="col">Detail</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`;
}

function factsList({ facts }: ArtifactDocument): Html {
  const items = facts.map(({ kind, index, at }) => html`<li>${kind}: entry ${index}, ${at}</li>\n`);
  return html`<details><summary>${facts.length} facts in the ledger</summary><ol>\n${items}</ol></details>`;
}
