import type { HttpResponse } from '@granary/contract/ports';
import { siteStatus } from '../api/routes.ts';
import { labelOf } from '../holding.ts';
import type { Overview } from '../overview.ts';
import type { ServePorts } from '../serve-ports.ts';
import { html } from './html.ts';
import { htmlAnswer } from './layout.ts';

const MAX_LISTED = 2000;

/** What this site is, and what it holds. */
export function indexPage(ports: ServePorts, overview: Overview): HttpResponse {
  const status = siteStatus(ports, overview);
  const { packages } = overview;
  const items = packages.slice(0, MAX_LISTED).map((purl) => html`<li><a href="/releases/${encodeURIComponent(purl)}">${labelOf(purl)}</a></li>\n`);
  const verdicts = Object.entries(status.verdicts).map(([verdict, count]) => html`<tr><th scope="row">${verdict}</th><td>${count}</td></tr>\n`);
  const hints = ports.ecosystems.flatMap(({ views }) => views.clientHints(ports.site.publicUrl));
  const main = html`<p>${status.artifacts} files of ${status.packages} packages are kept here. Ledger <code>${status.ledger.origin}</code> has ${status.ledger.size} entries.</p>
${status.ready ? undefined : html`<p class="bad">Not ready: ${status.notReady.join('; ')}</p>`}
<table>
<caption>Verdicts</caption>
${verdicts}</table>
<p><a href="/ledger/checkpoint">Checkpoint</a> · <a href="/api/v1/openapi.json">Interface</a> · <a href="/api/v1/status">Status</a> · <a href="/metrics">Metrics</a></p>
<h2>How to use it</h2>
<pre>${hints.join('\n')}</pre>
<h2>Packages</h2>
<ul>
${items}</ul>
${packages.length > MAX_LISTED ? html`<p>${packages.length - MAX_LISTED} more: <a href="/api/v1/packages">all of them as data</a>.</p>` : undefined}`;
  return htmlAnswer('Granary', main);
}
