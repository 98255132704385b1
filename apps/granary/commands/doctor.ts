import { type Config, ConfigError } from '@granary/config';
import { checkSandboxHost } from '@granary/driver-sandbox-oci';
import { ecosystems } from '@granary/ecosystems';
import { formatTable } from '../output/terminal.ts';
import { readDefinitions } from '../roles/definitions.ts';
import { discoverUpstream } from '../roles/discover.ts';
import { concernedBy, readWatchList } from '../roles/watch-list.ts';
import { advisoriesFinding } from './advisories-finding.ts';
import { gitFinding } from './git-finding.ts';
import { probeServices } from './probe-services.ts';

export interface Finding {
  readonly state: 'ok' | 'weak' | 'missing' | 'hint';
  readonly what: string;
  readonly detail: string;
}

/** What was discovered, what is missing and how to mend it, and what clients need that isn't a setting. Changes nothing. */
export async function doctor(config: Config, environment: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const watched = await readWatched(config);
  const needed = new Set([...(watched.ids ?? []), ...Object.keys(config.upstreams), ...(config.pullThrough?.ecosystems ?? [])]);
  const upstreams = await Promise.all(ecosystems.map((ecosystem) => upstreamFinding(config, ecosystem, { environment, needed: needed.has(ecosystem.id) })));
  const host = await checkSandboxHost();
  const sandbox = host.findings.map(
    ({ what, howToMend, effect }): Finding => ({ state: effect === 'stops' ? 'missing' : 'weak', what: `sandbox: ${what}`, detail: howToMend }),
  );
  const hints = ecosystems
    .flatMap(({ views }) => views.clientHints(`http://${config.listen}`))
    .map((detail): Finding => ({ state: 'hint', what: 'clients', detail }));
  return [
    { state: 'ok', what: 'configuration', detail: config.file ?? 'none: the defaults hold' },
    { state: 'ok', what: 'data folder', detail: config.dataDir },
    { state: 'ok', what: 'archive', detail: config.store.type === 'folder' ? config.store.path : `${config.store.endpoint}, two buckets` },
    readersFinding(config),
    await advisoriesFinding(config),
    await definitionsFinding(config),
    ...watched.findings,
    ...(await probeServices(config)),
    ...upstreams,
    ...(sandbox.length === 0 ? [{ state: 'ok' as const, what: 'sandbox', detail: 'everything it needs is here' }] : sandbox),
    await gitFinding(),
    ...hints,
  ];
}

function readersFinding({ readers }: Config): Finding {
  const what = 'reader access';
  if (readers === 'anyone')
    return { state: 'ok', what, detail: 'off: everybody who reaches this site may read; readers: registered in granary.yaml changes that' };
  return { state: 'ok', what, detail: 'on: only who shows a token may read; granary reader add makes one, and docs/clients.md says how clients show it' };
}

async function definitionsFinding(config: Config): Promise<Finding> {
  const what = 'definitions';
  try {
    const definitions = await readDefinitions(config);
    if (definitions === undefined) return { state: 'ok', what, detail: 'none: how packages are made is inferred; docs/sources.md says how to write one' };
    return { state: 'ok', what, detail: `${definitions.packages} packages in ${config.definitions}` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { state: 'missing', what, detail: error.message };
  }
}

/** Ids of ecosystems that the watch list asks for, or what is wrong with it. */
async function readWatched(config: Config): Promise<{ readonly ids?: ReadonlySet<string>; readonly findings: readonly Finding[] }> {
  try {
    return { ids: concernedBy(await readWatchList(config)), findings: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { findings: [{ state: 'weak', what: 'watch list', detail: error.message }] };
  }
}

async function upstreamFinding(
  config: Config,
  ecosystem: (typeof ecosystems)[number],
  { environment, needed }: { readonly environment: NodeJS.ProcessEnv; readonly needed: boolean },
): Promise<Finding> {
  try {
    const { index, files, from } = await discoverUpstream(config, ecosystem, environment);
    return { state: 'ok', what: `${ecosystem.id} upstream`, detail: `${index}${files.length === 0 ? '' : `, files at ${files.join(', ')}`} (from ${from})` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Who mirrors one ecosystem needs no package manager of another.
    return { state: needed ? 'missing' : 'hint', what: `${ecosystem.id} upstream`, detail: needed ? why : `left out, nothing here asks for it: ${why}` };
  }
}

export function formatFindings(findings: readonly Finding[]): string {
  return formatTable(findings.map(({ state, what, detail }) => [state, what, detail]));
}
