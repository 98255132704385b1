import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { postgresMissing, redisMissing, ServiceError, versitygwMissing } from '@granary/services';
import { startDeployment } from './start-deployment.ts';

const USAGE = `npm run start:distributed -- [--once] [--json] [--workers 2] [--nodes 2] [--port 8080] [--config granary.yaml] [--data distributed-data]`;
const root = join(import.meta.dirname, '../..');

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    nodes: { type: 'string', default: '2' },
    port: { type: 'string', default: '8080' },
    config: { type: 'string', default: join(root, 'granary.yaml') },
    data: { type: 'string', default: join(root, 'distributed-data') },
    help: { type: 'boolean', default: false },
  },
});
process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof ServiceError)) throw error;
  say(`start:distributed: ${error.message}`);
  return 69;
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const missing = [redisMissing(), postgresMissing(), versitygwMissing()].filter((reason) => reason !== undefined);
  if (missing.length > 0) {
    process.stderr.write(`start:distributed can't start its services:\n${missing.map((reason) => `  ${reason}\n`).join('')}`);
    return 69;
  }
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<number>();
  let signalCode: number | undefined;
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    // Again and again: npm hands on what the terminal sent already, and nothing must stay behind that nobody knows of.
    process.on(name, () => {
      signalCode ??= code;
      interrupt(code);
    });
  }
  try {
    return await runDeployment(interrupted);
  } catch (error) {
    // What is being started, and built, gets the signal as well.
    if (signalCode !== undefined) return signalCode;
    throw error;
  }
}

async function runDeployment(interrupted: Promise<number>): Promise<number> {
  say('starting Redis, PostgreSQL and an S3 service (built with Go the first time, which takes minutes)');
  await using deployment = await startDeployment({
    folder: values.data,
    config: values.config,
    granary: [join(root, 'granary')],
    workers: number(values.workers),
    nodePorts: Array.from({ length: number(values.nodes) }, (_, at) => number(values.port) + at),
    more: { scheduler: [...(values.once ? ['--once'] : []), ...(values.json ? ['--json'] : [])] },
    onLine: (name, line) => (isResult(name, line) ? process.stdout.write(`${line}\n`) : say(`${name}: ${line}`)),
  });
  const code = await Promise.race([deployment.scheduler.ended, interrupted]);
  say('ending every process, then the services');
  return code ?? 0;
}

/** With --json, the one line that scripts read. */
function isResult(name: string, line: string): boolean {
  return values.json && name === 'scheduler' && line.startsWith('{"artifacts"');
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`${JSON.stringify(text)} is not a number above 0\n${USAGE}\n`);
  process.exit(64);
}
