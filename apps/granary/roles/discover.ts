import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '@granary/config';
import type { DiscoveredUpstream, Ecosystem } from '@granary/contract/ecosystem';
import { AppError } from '../app-error.ts';
import { netrcAuthorization, type SplitAddress, splitAddress } from './upstream-credentials.ts';

const run = promisify(execFile);

/** Where an ecosystem's upstream lies, and how that was learnt. Addresses hold no user and no password. */
export interface UpstreamAddress {
  readonly index: string;
  readonly files: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly from: 'configuration' | 'this machine';
  /** By origin: what it is shown as `Authorization`. Secret. */
  readonly credentials: ReadonlyMap<string, string>;
}

/**
 * The configuration's address, else what this machine's own package manager uses; what either of them says of trust; and the credentials
 * that stand in the address, that the package manager has for it, or that netrc has for its host: the first of these. Throws AppError
 * `no-upstream`.
 */
export async function discoverUpstream(config: Config, ecosystem: Ecosystem, environment: NodeJS.ProcessEnv): Promise<UpstreamAddress> {
  const configured = config.upstreams[ecosystem.id];
  const found = configured?.index === undefined ? await askPackageManager(ecosystem, environment) : await withIndex(configured.index, ecosystem, environment);
  const index = splitAddress(slashed(found.index));
  const files = [...found.files, ...(configured?.files ?? [])].map(splitAddress);
  const shown = index.authorization ?? (await askCredentials(ecosystem, index.address, environment));
  const addresses = [{ ...index, ...(shown === undefined ? {} : { authorization: shown }) }, ...files];
  return {
    index: index.address,
    files: files.map(({ address }) => address),
    settings: { ...found.settings, ...configured?.settings },
    from: configured?.index === undefined ? 'this machine' : 'configuration',
    credentials: await credentialsOf(addresses, environment),
  };
}

async function askPackageManager({ id, discovery }: Ecosystem, environment: NodeJS.ProcessEnv): Promise<DiscoveredUpstream> {
  const output = await outputOf(discovery.argv, environment).catch((cause: unknown) => {
    throw unknown(id, cause);
  });
  const found = discovery.parse(output);
  if (found === undefined) throw unknown(id, undefined);
  return found;
}

/** Whom the package manager trusts counts for another address too: a proxy passes on what a checksum database says, and has no key of it. */
async function withIndex(index: string, ecosystem: Ecosystem, environment: NodeJS.ProcessEnv): Promise<DiscoveredUpstream> {
  const told = await askPackageManager(ecosystem, environment).catch(() => undefined);
  return { index, files: [], ...(told?.settings === undefined ? {} : { settings: told.settings }) };
}

/** Most upstreams want none: what can't be read is as if it weren't there. */
async function askCredentials({ discovery }: Ecosystem, index: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { credentials } = discovery;
  const output = credentials && (await outputOf(credentials.argv, environment).catch(() => undefined));
  return output === undefined ? undefined : credentials?.parse(output, index);
}

async function outputOf([command, ...args]: readonly [string, ...string[]], environment: NodeJS.ProcessEnv): Promise<string> {
  return (await run(command, args, { env: leavingNothing(environment), timeout: 30_000 })).stdout;
}

/** A package manager that runs on Node 22 or newer may keep its compiled code in the folder for temporary files, unless it is told where or not to. */
function leavingNothing(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return environment['NODE_COMPILE_CACHE'] === undefined ? { ...environment, NODE_DISABLE_COMPILE_CACHE: '1' } : environment;
}

async function credentialsOf(addresses: readonly SplitAddress[], environment: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const credentials = new Map<string, string>();
  for (const { address, authorization } of addresses) {
    const shown = authorization ?? (await netrcAuthorization(address, environment));
    const { origin } = new URL(address);
    if (shown !== undefined && !credentials.has(origin)) credentials.set(origin, shown);
  }
  return credentials;
}

function unknown(id: string, cause: unknown): AppError {
  return new AppError('no-upstream', `discover the ${id} upstream: this machine's package manager doesn't tell; set upstreams.${id}.index in granary.yaml`, {
    cause,
  });
}

function slashed(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}
