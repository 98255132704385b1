import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '@granary/config';
import { bringGoTool, type GoTool, goToolMissing } from '@granary/services';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { granary } from '../machine/granary.ts';

const COMPOSE = join(import.meta.dirname, '../../infra/compose');
/** The parser of the Compose Specification's own authors, which Docker Compose uses: it holds a file against their schema. */
const PARSER: GoTool = { package: 'github.com/compose-spec/compose-go/v2/cmd', version: 'v2.16.2' };
const missing = goToolMissing(PARSER);

const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).nullish(),
  environment: z.record(z.string(), z.string()).default({}),
  read_only: z.literal(true),
  init: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  cap_add: z.array(z.string()).default([]),
  user: z.string().optional(),
  security_opt: z.array(z.string()),
  networks: z.record(z.string(), z.unknown()).default({}),
  ports: z.array(z.unknown()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string(), cpus: z.string(), pids: z.number() }) }) }),
});
const Model = z.object({ services: z.record(z.string(), Service), networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })) });
type Model = z.output<typeof Model>;

async function text(): Promise<string> {
  return await readFile(join(COMPOSE, 'compose.yaml'), 'utf8');
}

/** What an operator has to fill in, each with a value of its own. */
async function requiredVariables(): Promise<readonly string[]> {
  return (await readFile(join(COMPOSE, 'environment.example'), 'utf8')).split('\n').flatMap((line) => /^([A-Z0-9_]+)=$/.exec(line)?.[1] ?? []);
}

describe.skipIf(missing !== undefined)(`the compose file${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let parser: string;
  let model: Model;
  beforeAll(async () => {
    parser = await bringGoTool(PARSER);
    model = Model.parse(JSON.parse(await parse((await text()).replaceAll(/\$\{([A-Z0-9_]+):\?[^}]*\}/g, (_whole, name: string) => valueFor(name)))));
  }, 600_000);

  function valueFor(name: string): string {
    return name.endsWith('_URL') ? 'https://mirror.example' : `${name}-value`;
  }

  async function parse(content: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'granary-compose-'));
    try {
      await cp(COMPOSE, folder, { recursive: true });
      await writeFile(join(folder, 'compose.yaml'), content);
      const run = promisify(execFile)(parser, ['-format', 'json', 'compose.yaml'], { cwd: folder, env: {}, maxBuffer: 2 ** 22 });
      return (await run).stdout;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  it('follows the specification, and nothing else does', async () => {
    expect(Object.keys(model.services).toSorted()).toEqual(
      'api-1 api-2 nginx postgres publisher s3 s3-buckets s3-read scheduler sequencer valkey worker'.split(' '),
    );
    await expect(parse((await text()).replace('read_only: true', 'read_onyl: true').replaceAll(':?', ':-'))).rejects.toThrow(/read_onyl/);
  });

  it('starts nothing until every password is set, and has none of its own', async () => {
    const said = await parse(await text()).then(
      () => '',
      (error: Error) => error.message,
    );

    const asked = [...said.matchAll(/required variable (\w+) is missing/g)].map(([, name]) => name);
    expect([...new Set(asked)].toSorted()).toEqual((await requiredVariables()).toSorted());
    const secrets = Object.values(model.services).flatMap(({ environment }) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|AUTH/.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(5);
    for (const [name, value] of secrets) expect([name, value]).toEqual([name, expect.stringMatching(/^GRANARY_\w+-value$/)]);
  });

  it('contains every service: read-only, no capabilities, no new privileges, bounded; but the worker, which makes containers', () => {
    for (const [name, { security_opt, cap_add, user }] of Object.entries(model.services)) {
      expect(security_opt).toContain('no-new-privileges:true');
      if (name !== 'worker')
        expect({ name, security_opt, cap_add, isRoot: user === '0:0' }).toEqual({ name, security_opt: ['no-new-privileges:true'], cap_add: [], isRoot: false });
    }
  });

  it('gives the worker the capabilities that its systemd unit explains', async () => {
    const unit = await readFile(join(COMPOSE, '../systemd/granary-worker@.service'), 'utf8');
    const explained = /^CapabilityBoundingSet=(.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];

    expect(model.services['worker']?.cap_add.map((name) => `CAP_${name}`).toSorted()).toEqual(explained.toSorted());
  });

  it('lets only nginx be reached, and only scheduler and workers reach out', () => {
    const on = (network: string) => Object.entries(model.services).flatMap(([name, { networks }]) => (network in networks ? [name] : []));

    expect(model.networks['inside']?.internal).toBe(true);
    expect(on('upstreams').toSorted()).toEqual(['scheduler', 'worker']);
    expect(on('clients')).toEqual(['nginx']);
    expect(Object.entries(model.services).flatMap(([name, { ports }]) => (ports.length > 0 ? [name] : []))).toEqual(['nginx']);
  });

  it('waits for what can say that it is healthy', () => {
    for (const { depends_on } of Object.values(model.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy') expect([name, model.services[name]?.healthcheck]).toEqual([name, expect.anything()]);
      }
    }
  });

  it('runs roles and options that the command line has', async () => {
    for (const name of ['sequencer', 'scheduler', 'worker', 'api-1', 'api-2']) {
      const [role = '', ...args] = model.services[name]?.command ?? [];
      const { code, stdout } = await granary([role, '--help']);

      expect({ name, code }).toEqual({ name, code: 0 });
      for (const option of args.filter((arg) => arg.startsWith('--'))) expect(stdout).toContain(`  ${option} `);
    }
  });

  it('configures writers with store, lock and queue, and nodes with the store alone, in another way in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-compose-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const configOf = async (name: string) =>
      await readConfig({ file: join(COMPOSE, 'granary.yaml'), data: folder }, model.services[name]?.environment ?? {}, folder);
    const writers = await Promise.all(['sequencer', 'scheduler', 'worker'].map(configOf));
    const nodes = await Promise.all(['api-1', 'api-2'].map(configOf));

    for (const { store, lock, queue, publicUrl } of writers) {
      expect({ store, lock, queue, publicUrl }).toMatchObject({
        store: { type: 's3', endpoint: 'http://s3:7070', secretKey: 'GRANARY_S3_SECRET_KEY-value' },
        lock: { type: 'postgres', url: 'postgresql://granary:GRANARY_POSTGRES_PASSWORD-value@postgres:5432/granary' },
        queue: { type: 'redis', url: 'redis://default:GRANARY_REDIS_PASSWORD-value@valkey:6379' },
        publicUrl: 'https://mirror.example',
      });
    }
    for (const { store, lock, queue } of nodes) {
      expect({ store, lock, queue }).toMatchObject({
        store: { type: 's3', endpoint: 'http://s3-read:7070', secretKey: 'GRANARY_S3_READ_SECRET_KEY-value' },
        lock: { type: 'none' },
        queue: { type: 'process' },
      });
    }
  });
});
