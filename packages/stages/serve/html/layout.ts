import { createHash } from 'node:crypto';
import type { HttpResponse } from '@granary/contract/ports';
import { Html, html } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --good: #0a6b2c; --bad: #a3180f; }
@media (prefers-color-scheme: dark) { :root { --good: #6fdc8c; --bad: #ff9d94; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .5rem; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
caption { text-align: left; font-weight: bold; padding-bottom: .25rem; }
.good { color: var(--good); font-weight: bold; }
.bad { color: var(--bad); font-weight: bold; }
`;
/** No script, no frame, nothing from elsewhere: what upstream wrote could do nothing even if it stood here unescaped. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function htmlAnswer(title: string, main: Html, status = 200): HttpResponse {
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Granary</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header><nav aria-label="Site"><a href="/">Granary</a></nav></header>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>
`;
  const body = Buffer.from(page.text);
  return {
    status,
    body,
    headers: [
      ...['content-type', 'text/html; charset=utf-8', 'content-length', String(body.length), 'cache-control', 'no-cache'],
      ...['content-security-policy', CONTENT_SECURITY_POLICY, 'x-content-type-options', 'nosniff', 'referrer-policy', 'no-referrer'],
    ],
  };
}
