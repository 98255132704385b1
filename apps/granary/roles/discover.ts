import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '@granary/config';
import type { Ecosystem } from '@granary/contract/ecosystem';
import { AppError } from '../app-error.ts';

const run = promisify(execFile);

/** Where an ecosystem's upstream lies, and how that was learnt. */
export interface UpstreamAddress {
  readonly index: string;
  readonly files: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly from: 'configuration' | 'this machine';
}

/** The configuration's address, else what this machine's own package manager uses. Throws AppError `no-upstream`. */
export async function discoverUpstream(config: Config, ecosystem: Ecosystem, environment: NodeJS.ProcessEnv): Promise<UpstreamAddress> {
  const configured = config.upstreams[ecosystem.id];
  if (configured?.index !== undefined)
    return { index: slashed(configured.index), files: configured.files, settings: configured.settings, from: 'configuration' };
  const [command, ...args] = ecosystem.discovery.argv;
  const output = await run(command, args, { env: leavingNothing(environment), timeout: 30_000 }).then(
    ({ stdout }) => stdout,
    (cause: unknown) => {
      throw unknown(ecosystem.id, cause);
    },
  );
  const found = ecosystem.discovery.parse(output);
  if (found === undefined) throw unknown(ecosystem.id, undefined);
  const settings = { ...found.settings, ...configured?.settings };
  return { index: slashed(found.index), files: [...found.files, ...(configured?.files ?? [])], settings, from: 'this machine' };
}

/** A package manager that runs on Node 22 or newer may keep its compiled code in the folder for temporary files, unless it is told where or not to. */
function leavingNothing(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return environment['NODE_COMPILE_CACHE'] === undefined ? { ...environment, NODE_DISABLE_COMPILE_CACHE: '1' } : environment;
}

function unknown(id: string, cause: unknown): AppError {
  return new AppError('no-upstream', `discover the ${id} upstream: this machine's package manager doesn't tell; set upstreams.${id}.index in granary.yaml`, {
    cause,
  });
}

function slashed(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}
