import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { Catalog, FactSink, Store } from '@granary/contract/ports';
import { type KnownRefs, readKnownRefs } from '@granary/contract/repository';
import { rewriteUrl } from '@granary/core/git';
import { encodeEntry, formatPurl, toInstant } from '@granary/core/model';
import { openRepositories } from '@granary/driver-git-native';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import { DEFAULT_REF_PREFIXES, mirrorRepository, type RepositoryLook, type RepositoryPorts } from '@granary/stage-sync';
import { type Answers, type HostileForge, holding, openHostileForge, PACK, TREE } from './hostile-forge.ts';
import { processesNaming } from './hostile-repositories.ts';
import { commitOf } from './raw-pack.ts';

export const LAMP = formatPurl({ type: 'git', namespace: 'lamp.example', name: 'x' });
const ORIGIN = 'ledger.example';
const STALL_MS = 1000;

/** Mirrors one repository with the drivers of a site, into a store and a ledger in memory. */
export interface LookingSite {
  readonly forge: HostileForge;
  readonly catalog: Catalog;
  readonly store: Store;
  look(signal?: AbortSignal): Promise<RepositoryLook>;
  known(): Promise<KnownRefs | undefined>;
  isUntouched(): boolean;
  processes(): readonly string[];
  /** No fact of that kind can be written from now on. */
  failOn(kind: string | undefined): void;
}
export interface LookingOptions {
  readonly limits?: Partial<RepositoryPorts['limits']>;
  readonly largeFiles?: Partial<RepositoryPorts['largeFiles']>;
}

export async function openLookingSite(stack: AsyncDisposableStack, answers: Partial<Answers> = {}, options: LookingOptions = {}): Promise<LookingSite> {
  const forge = stack.use(await openHostileForge());
  await forge.host('lamp', { ...holding(commitOf(TREE), PACK), ...answers });
  const folder = await mkdtemp(join(tmpdir(), 'granary-looks-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const store = memoryStore();
  const { blobs } = store;
  const catalog = memoryCatalog();
  const repositories = stack.use(await openRepositories({ folder, blobs, maxBytes: 2 ** 30 }));
  let failing: string | undefined;
  const sink: FactSink = {
    async submit(facts) {
      for (const given of facts) {
        const fact = 'leaf' in given ? given.fact : given;
        if (fact.kind === failing) throw new Error(`no room for ${fact.kind}`);
        catalog.fold(ORIGIN, [{ index: catalog.size(ORIGIN), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
      }
    },
  };
  const ports: RepositoryPorts = {
    ...{ repositories, blobs, catalog, sink, upstream: openUpstream(stack, forge), refPrefixes: DEFAULT_REF_PREFIXES },
    addressOf: () => rewriteUrl('https://lamp.example/x', rulesOf(forge)),
    limits: { maxBytes: 2 ** 20, timeoutMs: 30_000, stallMs: STALL_MS, ...options.limits },
    largeFiles: { maxObjectBytes: 2 ** 20, maxTotalBytes: 2 ** 20, timeoutMs: 30_000, ...options.largeFiles },
  };
  return {
    ...{ forge, catalog, store },
    look: (signal) => mirrorRepository(ports, LAMP, signal),
    known: () => readKnownRefs({ blobs, catalog }, LAMP),
    isUntouched: () => catalog.size(ORIGIN) === 0,
    processes: () => processesNaming(folder),
    failOn(kind) {
      failing = kind;
    },
  };
}

function openUpstream(stack: AsyncDisposableStack, forge: HostileForge) {
  const clock = {
    now: () => toInstant(Date.now()),
    sleep: async (ms: number, signal?: AbortSignal) => await sleep(ms, undefined, signal === undefined ? {} : { signal }),
  };
  return stack.use(openHttpUpstream({ configured: Object.values(forge.insteadOf), clock, userAgent: 'granary/test', stallMs: STALL_MS }));
}

function rulesOf({ insteadOf }: HostileForge) {
  return Object.entries(insteadOf).map(([key, base]) => ({ insteadOf: key, base }));
}
