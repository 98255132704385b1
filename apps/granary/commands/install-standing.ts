import { type Closure, decodeTrialReport, type Ecosystem, installTrial, type TrialReport, type TriedPackage } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, CatalogFact, Contact } from '@granary/contract/ports';
import { type Purl, TriedBody } from '@granary/core/model';

/** What is known of installs of a product by one ecosystem's client, without any other network. */
export interface InstallStanding {
  readonly ecosystem: string;
  /** `unchecked`: not tried yet, or not to be tried here. */
  readonly state: 'self-sufficient' | 'not-covered' | 'unchecked';
  /** Why it isn't self-sufficient, one line each, for people. */
  readonly why: readonly string[];
  readonly downloads: readonly { readonly release: Purl; readonly host: string; readonly port: number | null }[];
  readonly failed: readonly Purl[];
}

const MAX_REPORT_BYTES = 16 * 2 ** 20;

type InstallingEcosystem = Pick<Ecosystem, 'id' | 'installing'>;
export interface InstallPorts {
  readonly catalog: Catalog;
  readonly privateBlobs: BlobStore;
  readonly ecosystems: readonly InstallingEcosystem[];
  /** Why the last trial came to nothing, where that is known. */
  readonly failure: string | undefined;
}

/** One standing for each ecosystem of the product whose packages may run code at install. */
export async function readInstalls(ports: InstallPorts, watched: CatalogFact, closure: Closure): Promise<readonly InstallStanding[]> {
  const concerned = ports.ecosystems.filter(
    ({ id, installing }) => installing !== undefined && closure.artifacts.some(({ purl }) => purl.startsWith(`pkg:${id}/`)),
  );
  return await Promise.all(concerned.map((ecosystem) => standingOf(ports, { watched, closure, ecosystem })));
}

async function standingOf(
  { catalog, privateBlobs, failure }: InstallPorts,
  { watched, closure, ecosystem }: { readonly watched: CatalogFact; readonly closure: Closure; readonly ecosystem: InstallingEcosystem },
): Promise<InstallStanding> {
  const trial = installTrial(catalog, watched, closure, ecosystem);
  const fact = trial === undefined ? undefined : catalog.byKey(trial.key);
  const bytes = fact === undefined ? undefined : await privateBlobs.read(TriedBody.parse(fact.entry.body).report, MAX_REPORT_BYTES);
  if (bytes === undefined) {
    const why = `unchecked: installing it was not tried yet${failure === undefined ? '' : `: ${failure}`}`;
    return { ecosystem: ecosystem.id, state: 'unchecked', why: [why], downloads: [], failed: [] };
  }
  return { ecosystem: ecosystem.id, ...readReport(decodeTrialReport(bytes)) };
}

function readReport(report: TrialReport): Omit<InstallStanding, 'ecosystem'> {
  switch (report.type) {
    case 'nothing-runs':
      return { state: 'self-sufficient', why: [], downloads: [], failed: [] };
    case 'not-tried': {
      const why = `unchecked: ${report.why}, and ${report.runsCode.length} of its packages run code at install: ${shortList(report.runsCode)}`;
      return { state: 'unchecked', why: [why], downloads: [], failed: [] };
    }
    case 'tried': {
      const { packages, contacts, beyond } = report;
      const why = [
        ...contacts.map((contact) => `not covered: downloads by the client itself from ${addressOf(contact)}`),
        ...packages.flatMap(linesOf),
        ...(beyond.length === 0 ? [] : [`unchecked: more packages run code at install than are tried: ${shortList(beyond)}`]),
      ];
      const downloads = packages.flatMap(({ release, contacts: own }) => own.map(({ host, port }) => ({ release, host, port: port ?? null })));
      const failed = packages.filter((tried) => endOf(tried) !== undefined).map(({ release }) => release);
      return { state: why.length === 0 ? 'self-sufficient' : 'not-covered', why, downloads, failed };
    }
  }
}

function linesOf(tried: TriedPackage): readonly string[] {
  const { release, contacts, leftOut } = tried;
  const end = endOf(tried);
  const without = end === undefined ? '' : `, without which its install script ${end}`;
  const hosts = [...new Set(contacts.map(addressOf))];
  if (hosts.length === 0) return end === undefined ? [] : [`not covered: the install script of ${release} ${end}`];
  const more = leftOut === 0 ? [] : [`not covered: downloads of ${release} from ${leftOut} other places`];
  return [...hosts.map((host) => `not covered: downloads of ${release} from ${host}${without}`), ...more];
}

/** How it ended, unless well. */
function endOf({ end }: TriedPackage): string | undefined {
  switch (end.type) {
    case 'exited':
      return end.code === 0 ? undefined : `fails (exit ${end.code})`;
    case 'killed':
      return { timeout: 'does not end', 'out-of-memory': 'takes too much memory', abort: 'was stopped', signal: 'was killed' }[end.by];
  }
}

const MAX_LISTED = 10;

function shortList(releases: readonly Purl[]): string {
  const rest = releases.length - MAX_LISTED;
  return `${releases.slice(0, MAX_LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** Ports that everybody knows go without saying. */
function addressOf({ host, port }: Contact): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined || port === 80 || port === 443 ? shown : `${shown}:${port}`;
}
