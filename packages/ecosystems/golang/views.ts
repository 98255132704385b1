import type { PackageView, Route, Views } from '@granary/contract/ecosystem';
import { purlParts } from '@granary/core/model';
import { FILE_KINDS, isModulePath, kindOf, modulePurl, pathOf, unescapeCase } from './names.ts';
import { answerQuestion, parseQuestion } from './sumdb/answers.ts';
import { compareVersions, isPseudoVersion, newestVersion } from './versions.ts';

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const MODULE = /^(.+)\/@(latest|v\/list|v\/[^/]+\.(?:info|mod|zip))$/;
const TYPES = { info: JSON_TYPE, mod: TEXT, zip: 'application/zip' };

/** What `go` asks of a proxy and, through it, of the checksum database. */
export const golangViews: Views = {
  route(path) {
    if (path === '') return { type: 'root' };
    if (path.startsWith('sumdb/')) return evidenceRoute(path.slice('sumdb/'.length));
    return moduleRoute(path);
  },
  mediaTypes(route) {
    switch (route.type) {
      case 'root':
      case 'fixed':
      case 'companion':
        return [TEXT];
      case 'package':
        return [route.document === 'latest' ? JSON_TYPE : TEXT];
      case 'artifact':
        return [TYPES[kindOf(route.path) ?? 'mod']];
    }
  },
  renderPackage: (view, _, document) =>
    document === 'latest' ? renderLatest(view) : encode(heldVersions(view).filter((version) => !isPseudoVersion(version))),
  renderEvidence: answerQuestion,
  renderRoot: (packages) => encode(packages.map(pathOf).filter(isModulePath)),
  clientHints: (address) => [
    `go    export GOPROXY=${address}/golang      (the checksum database stays on: it is answered from here too, and checked by go itself)`,
    `      only what was reproduced: GOPROXY=${address}/verified/golang`,
    `      as it was then: GOPROXY=${address}/as-of/2026-01-31T12:00:00Z/golang`,
    '      a toolchain is a module like any other: pkg:golang/golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64 (GOTOOLCHAIN asks for it)',
    // The tool keeps the newest tree that it was shown, outside of its module cache.
    '      security or tile errors for modules that go.sum lacks: the machine saw a newer state of the database than this mirror: rm -r "$(go env GOPATH)/pkg/sumdb"',
  ],
};

function evidenceRoute(name: string): Route | undefined {
  const question = parseQuestion(name)?.question;
  return question === undefined ? undefined : { type: 'evidence', name, mediaType: question.startsWith('tile/') ? 'application/octet-stream' : TEXT };
}

function moduleRoute(path: string): Route | undefined {
  const [, escaped = '', what = ''] = MODULE.exec(path) ?? [];
  const module = unescapeCase(escaped);
  if (module === undefined || !isModulePath(module)) return undefined;
  const packagePurl = modulePurl(module);
  if (what === 'v/list') return { type: 'package', package: packagePurl };
  if (what === 'latest') return { type: 'package', package: packagePurl, document: 'latest' };
  const version = unescapeCase(what.replace(/^v\/(.+)\.(?:info|mod|zip)$/, '$1'));
  return { type: 'artifact', packages: [packagePurl], path, ...(version === undefined ? {} : { version }) };
}

/** Versions that a client can have: those of which only the `go.mod` is kept were never chosen by anybody. */
function heldVersions({ files }: PackageView): readonly string[] {
  const byVersion = Map.groupBy(files, ({ purl }) => purlParts(purl).version ?? '');
  const whole = [...byVersion].filter(([, kinds]) => FILE_KINDS.every((kind) => kinds.some(({ fileName }) => kindOf(fileName) === kind)));
  return whole.map(([version]) => version).toSorted(compareVersions);
}

/** Its time is optional in the protocol; `.info` has it. */
function renderLatest(view: PackageView): Uint8Array | undefined {
  const version = newestVersion(heldVersions(view));
  return version === undefined ? undefined : new TextEncoder().encode(JSON.stringify({ Version: version }));
}

function encode(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
}
