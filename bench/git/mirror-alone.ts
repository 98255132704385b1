import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryCatalog } from '@granary/contract/memory';
import { encodeEntry, formatPurl, toInstant } from '@granary/core/model';
import { openRepositories } from '@granary/driver-git-native';
import { openFsStore } from '@granary/driver-store-fs';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import { DEFAULT_REF_PREFIXES, mirrorRepository } from '@granary/stage-sync';

/** One look at a repository, with the drivers that a site has and its catalog in memory: what mirroring takes in a process that runs already, and nothing else does. */
const [folder = '.', url = ''] = process.argv.slice(2);
const REPOSITORY = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'sample' });
const ORIGIN = 'ledger.example';

const clock = {
  now: () => toInstant(Date.now()),
  sleep: async (ms: number, signal?: AbortSignal) => await sleep(ms, undefined, signal === undefined ? {} : { signal }),
};
const { blobs } = await openFsStore(join(folder, 'store'));
const catalog = memoryCatalog();
await using repositories = await openRepositories({ folder: join(folder, 'git'), blobs, maxBytes: 2 ** 40 });
await using upstream = openHttpUpstream({ configured: [url], clock, userAgent: 'granary/bench', stallMs: 60_000 });
const found = await mirrorRepository(
  {
    ...{ repositories, blobs, catalog, upstream, refPrefixes: DEFAULT_REF_PREFIXES },
    addressOf: () => url,
    limits: { maxBytes: 2 ** 34, timeoutMs: 3_600_000 },
    largeFiles: { maxObjectBytes: 2 ** 32, maxTotalBytes: 2 ** 34, timeoutMs: 3_600_000 },
    sink: {
      async submit(facts) {
        for (const fact of facts.map((given) => ('leaf' in given ? given.fact : given)))
          catalog.fold(ORIGIN, [{ index: catalog.size(ORIGIN), bytes: encodeEntry(fact, 'author', clock.now()) }]);
      },
    },
  },
  REPOSITORY,
);
if (found.type !== 'changed') throw new Error(`mirror ${url}: ${found.type}`);
