import type { PackageView } from '@granary/contract/ecosystem';
import { type ListedFile, listFiles } from './listed-files.ts';
import { API_VERSION } from './render-json.ts';

/** PEP 503 with 592, 658, 714, 740 and 792. Everything that upstream wrote is escaped. */
export function renderPackageHtml(view: PackageView): Uint8Array {
  const { name, files, status } = listFiles(view);
  const metas = [
    ...(status === undefined ? [] : [meta('pypi:project-status', status.state)]),
    ...(status?.reason === undefined ? [] : [meta('pypi:project-status-reason', status.reason)]),
    ...(view.reconstructed ? [meta('granary:state', 'reconstructed')] : []),
  ];
  return page(`Links for ${name}`, metas, files.map(anchor));
}

export function renderRootHtml(names: readonly string[]): Uint8Array {
  return page(
    'Simple index',
    [],
    names.map((name) => `<a href="${escapeHtml(name)}/">${escapeHtml(name)}</a>`),
  );
}

function anchor({ file, upstream, url, provenance, yanked }: ListedFile): string {
  const attributes = [
    `href="${escapeHtml(url)}${file.sha256 === undefined ? '' : `#sha256=${file.sha256}`}"`,
    ...(upstream.requiresPython === undefined ? [] : [`data-requires-python="${escapeHtml(upstream.requiresPython)}"`]),
    // PEP 714: the older name as well, for clients that know only that.
    ...(file.metadata === undefined ? [] : [`data-core-metadata="sha256=${file.metadata}" data-dist-info-metadata="sha256=${file.metadata}"`]),
    ...(provenance === undefined ? [] : [`data-provenance="${escapeHtml(provenance)}"`]),
    ...(yanked === false ? [] : [`data-yanked="${yanked === true ? '' : escapeHtml(yanked)}"`]),
  ];
  return `<a ${attributes.join(' ')}>${escapeHtml(file.fileName)}</a>`;
}

function page(title: string, metas: readonly string[], anchors: readonly string[]): Uint8Array {
  const lines = [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    meta('pypi:repository-version', API_VERSION),
    ...metas,
    `<title>${escapeHtml(title)}</title>`,
    '</head>',
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    ...anchors.map((line) => `${line}<br>`),
    '</body>',
    '</html>',
    '',
  ];
  return new TextEncoder().encode(lines.join('\n'));
}

function meta(name: string, content: string): string {
  return `<meta name="${name}" content="${escapeHtml(content)}">`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
