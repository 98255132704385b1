import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { granaryArgv, granaryEnvironment, startGranary } from './granary-process.ts';
import { mustRun } from './run.ts';

const Product = z.object({
  specification: z.string(),
  complete: z.boolean(),
  files: z.number(),
  held: z.object({ files: z.number(), bytes: z.number() }),
  missing: z.array(z.string()),
});
/** What `granary status` says of a watched specification. */
export type Product = z.output<typeof Product>;
const Status = z.object({ watched: z.array(Product) });

/** Each look is a process of its own. */
const POLL_MS = 15_000;
const NEVER = /(?!)/;
/** Reasons that go by themselves. */
const UNDER_WAY = /^(not resolved yet|\d+ files are still to be fetched)$/;
/** Goes by itself where nothing else is missing: what can't be whole isn't tried. */
const UNTRIED = 'unchecked: installing it was not tried yet';

/** Mirrors what the configuration watches, until all of it is there or can't be had; ends the site before it has rebuilt everything, and resolves to its state. */
export async function mirrorAll(configFile: string, timeoutMs = 2_400_000): Promise<readonly Product[]> {
  await using site = startGranary(granaryArgv('up', '--config', configFile, '--listen', '127.0.0.1:0', '--json'));
  await site.saidThat(/serving on/);
  const until = performance.now() + timeoutMs;
  for (;;) {
    const products = await productsOf(configFile);
    if ((products.length > 0 && !products.some(isUnderWay)) || performance.now() > until) return products;
    // It rejects with what was said.
    if (!isRunning(site.pid)) await site.saidThat(NEVER);
    await sleep(POLL_MS);
  }
}

function isUnderWay({ missing }: Product): boolean {
  return missing.some((reason) => UNDER_WAY.test(reason)) || (missing.length === 1 && missing[0] === UNTRIED);
}

async function productsOf(configFile: string): Promise<readonly Product[]> {
  const { said } = await mustRun(granaryArgv('status', '--config', configFile, '--json'), { env: granaryEnvironment() });
  return Status.parse(JSON.parse(said.slice(said.indexOf('{')))).watched;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
