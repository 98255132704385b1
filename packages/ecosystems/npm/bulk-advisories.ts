import { createHash } from 'node:crypto';
import type { QuestionAnswer } from '@granary/contract/ecosystem';
import type { Advisories } from '@granary/contract/ports';
import { cvssOf, type OsvRecord, type Severity, severityOf } from '@granary/core/osv';
import semver from 'semver';
import { affectedRange } from './affected-range.ts';
import { isPackageName } from './names.ts';
import { asObject } from './schema.ts';

/** Asked by npm 7 and newer, pnpm 11 and yarn 2 and newer: names and versions of all that is installed. Ours as well. */
export const BULK_ADVISORIES_PATH = '-/npm/v1/security/advisories/bulk';
/** A hundred thousand releases fit in. */
export const MAX_QUESTION_BYTES = 4 * 2 ** 20;
const MAX_VERSIONS = 100_000;
const MAX_VERSION_LENGTH = 256;
/** Of a version with an advisory. A project of thousands of packages takes some thousand; nobody else is answered meanwhile. */
const MAX_COMPARISONS = 100_000;
/** As OSV calls the registry. */
const OSV_ECOSYSTEM = 'npm';

/** One advisory as clients read it; pnpm passes over those whose id is no number, or whose severity has another name. */
interface BulkAdvisory {
  readonly id: number;
  readonly url: string;
  readonly title: string;
  readonly severity: 'info' | 'low' | 'moderate' | 'high' | 'critical';
  readonly vulnerable_versions: string;
  readonly cwe: readonly string[];
  readonly cvss: { readonly score: number; readonly vectorString: string | null };
}
/** How clients compare. */
const AS_CLIENTS = { includePrerelease: true, loose: true } as const;
const SEVERITY: Readonly<Record<Severity, BulkAdvisory['severity']>> = { none: 'info', low: 'low', medium: 'moderate', high: 'high', critical: 'critical' };

/** Advisories that concern the versions that were named, by package. */
export async function answerBulk(body: Uint8Array, advisories: Advisories): Promise<QuestionAnswer> {
  const asked = parseAsked(body);
  if (typeof asked === 'string') return { type: 'refused', status: asked === 'malformed' ? 400 : 413, why: REFUSALS[asked] };
  const known = await advisories.of(OSV_ECOSYSTEM, [...asked.keys()]);
  if (known.type === 'unknown') return { type: 'refused', status: known.status, why: known.why };
  if (comparisons(asked, known.byName) > MAX_COMPARISONS) return { type: 'refused', status: 413, why: REFUSALS['too-many'] };
  const found = [...known.byName].map(([name, records]) => [name, concerning(name, asked.get(name) ?? [], records)] as const);
  const answer = Object.fromEntries(found.filter(([, those]) => those.length > 0));
  return { type: 'answered', mediaType: 'application/json', bytes: new TextEncoder().encode(JSON.stringify(answer)) };
}

const REFUSALS = {
  malformed: 'expected a JSON object of package names, with the versions of each in a list',
  'too-many': `at most ${MAX_VERSIONS} versions are looked up at once, and compared with their advisories ${MAX_COMPARISONS} times: audit a part of the project at a time`,
} as const;

/** Versions by name; what can't be a package of the registry has no advisories. */
function parseAsked(body: Uint8Array): ReadonlyMap<string, readonly string[]> | keyof typeof REFUSALS {
  const entries = Object.entries(asObject(parseJson(body)) ?? { malformed: undefined });
  const asked = new Map<string, readonly string[]>();
  let count = 0;
  for (const [name, versions] of entries) {
    if (!Array.isArray(versions)) return 'malformed';
    count += versions.length;
    if (count > MAX_VERSIONS) return 'too-many';
    const usable = versions.filter((version): version is string => typeof version === 'string' && version.length <= MAX_VERSION_LENGTH);
    if (isPackageName(name) && usable.length > 0) asked.set(name, usable);
  }
  return asked;
}

function comparisons(asked: ReadonlyMap<string, readonly string[]>, byName: ReadonlyMap<string, readonly OsvRecord[]>): number {
  return [...byName].reduce((sum, [name, records]) => sum + records.length * (asked.get(name)?.length ?? 0), 0);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

function concerning(name: string, versions: readonly string[], records: readonly OsvRecord[]): readonly BulkAdvisory[] {
  const installed = versions.flatMap((version) => semver.parse(version, AS_CLIENTS) ?? []);
  return records.flatMap((record) => {
    const range = affectedRange(record.affected.filter((affected) => affected.ecosystem === OSV_ECOSYSTEM && affected.name === name));
    if (range === undefined) return [];
    const meant = new semver.Range(range, AS_CLIENTS);
    return installed.some((version) => meant.test(version)) ? [toBulk(name, record, range)] : [];
  });
}

function toBulk(name: string, record: OsvRecord, range: string): BulkAdvisory {
  const cvss = cvssOf(record);
  return {
    id: numberOf(name, record.id),
    url: addressOf(record),
    title: record.summary ?? record.id,
    // What nobody rated counts as npm counts it.
    severity: SEVERITY[severityOf(record) ?? 'high'],
    vulnerable_versions: range,
    cwe: record.weaknesses,
    cvss: { score: cvss?.score ?? 0, vectorString: cvss?.vector ?? null },
  };
}

/** OSV has no numbers. One of 52 bits that is always the same for a package and an advisory: reports keep one entry for each number. */
function numberOf(name: string, id: string): number {
  return Number.parseInt(createHash('sha256').update(`${name} ${id}`).digest('hex').slice(0, 13), 16);
}

/** Where people read on. It always names the advisory, whose id clients show and take from nowhere else: as a fragment, where the address has it not. */
function addressOf({ id, references, affected }: OsvRecord): string {
  const sources = affected.flatMap(({ source }) => source ?? []);
  const referred = references.map(({ url }) => url);
  const advisory = references.find(({ type }) => type === 'ADVISORY')?.url;
  const itself = [...referred, ...sources].find((url) => url.includes(`/${id}`));
  const nearest = advisory ?? referred[0];
  return itself ?? (nearest === undefined ? id : `${nearest.split('#', 1)[0]}#/${id}`);
}
