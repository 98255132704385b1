import type { Config } from '@granary/config';
import type { RootfsRecipe } from '@granary/contract/ports';
import { EnvironmentBody, type Purl, RebuiltBody, type Sha256, toPurl, VerdictBody } from '@granary/core/model';
import { openOciSandbox } from '@granary/driver-sandbox-oci';
import { exportPublicKey } from '@granary/driver-signer-key';
import { ecosystemOf } from '@granary/ecosystems';
import { readersOfCatalog } from '@granary/stage-access';
import { readDefinition, runDefinition } from '@granary/stage-rebuild';
import { AppError } from '../app-error.ts';
import { openMirrorSockets } from '../roles/mirror-sockets.ts';
import { openLocalRepositories } from '../roles/repositories.ts';
import { serveArchive } from '../roles/serve-archive.ts';
import { originOf } from '../roles/site.ts';
import { type SiteReader, withSiteReader } from '../roles/site-reader.ts';
import { findArtifacts } from './find-artifacts.ts';

/** One recorded rebuild, done again. */
export interface Rerun {
  readonly purl: string;
  readonly definition: Sha256;
  /** What the ledger has, and what came out now: digests, or why there is nothing. */
  readonly recorded: string;
  readonly now: string;
  readonly same: boolean;
}

const MAX_RECIPE_BYTES = 8 * 2 ** 20;

/** Runs the definitions behind the verdicts on a purl again, from what is stored alone: no upstream, and nothing is recorded. */
export async function rebuildAgain(config: Config, purl: string, note: (text: string) => void): Promise<readonly Rerun[]> {
  return await withSiteReader(config, async (reader) => {
    const chosen = findArtifacts(reader.catalog, purl).flatMap(({ artifact }) => {
      const verdict = reader.catalog.current('verdict', artifact.purl);
      const definition = verdict === undefined ? undefined : VerdictBody.parse(verdict.entry.body).definition;
      return definition === undefined ? [] : [{ purl: artifact.purl, definition }];
    });
    if (chosen.length === 0) throw new AppError('not-found', `${purl}: nothing of it was built; granary why ${purl} says how far it came`);
    await using stack = new AsyncDisposableStack();
    const { publicStore, catalog, keys, paths } = reader;
    const repositories = stack.use(openLocalRepositories({ folder: paths.git, blobs: publicStore.blobs, maxBytes: config.repositories.cacheBytes }));
    const sandbox = stack.use(await openOciSandbox({ rootfsCacheDir: paths.rootfs, scratchDir: paths.sandbox, blobs: publicStore.blobs }));
    for (const recipe of await recipesOf(reader, chosen)) {
      note('making the root filesystem from stored packages');
      await sandbox.prepare(recipe);
    }
    const served = serveArchive({
      config,
      catalog,
      store: publicStore,
      publicKey: exportPublicKey(keys),
      origin: originOf(keys.ledgers.public),
      readers: readersOfCatalog(catalog),
    });
    const ledgerSize = () => catalog.size(originOf(keys.ledgers.public));
    const mirrors = stack.use(await openMirrorSockets({ serve: served, ledgerSize, notesDir: paths.sockets }));
    const reruns: Rerun[] = [];
    for (const { purl: target, definition } of chosen) {
      note(`building ${target}`);
      reruns.push(await rerun({ reader, repositories, sandbox, openMirror: (moment) => mirrors.open(moment) }, target, definition));
    }
    return reruns;
  });
}

/** Of the root filesystems that these are built in. */
async function recipesOf({ catalog, publicStore }: SiteReader, chosen: readonly { readonly definition: Sha256 }[]): Promise<readonly RootfsRecipe[]> {
  const definitions = await Promise.all(chosen.map(({ definition }) => readDefinition(publicStore.blobs, definition)));
  const needed = new Set(definitions.flatMap(({ environment }) => environment?.rootfs ?? []));
  const environments = [...catalog.all('environment')].map(({ entry }) => EnvironmentBody.parse(entry.body));
  return await Promise.all(
    environments
      .filter(({ rootfs }) => needed.has(rootfs))
      .map(async ({ recipe }) => {
        const bytes = await publicStore.blobs.read(recipe, MAX_RECIPE_BYTES);
        if (bytes === undefined) throw new AppError('unavailable', `root filesystem: recipe ${recipe} isn't in the store`);
        return JSON.parse(new TextDecoder().decode(bytes));
      }),
  );
}

type RunParts = Pick<Parameters<typeof runDefinition>[0], 'sandbox' | 'openMirror' | 'repositories'> & { readonly reader: SiteReader };

async function rerun({ reader, repositories, sandbox, openMirror }: RunParts, purl: Purl, definition: Sha256): Promise<Rerun> {
  const { catalog, publicStore } = reader;
  const ecosystem = ecosystemOf(purl.slice('pkg:'.length, purl.indexOf('/')));
  if (ecosystem?.rebuilding === undefined) throw new AppError('usage', `${purl}: no ecosystem of this kind`);
  const outcomes: RebuiltBody[] = [];
  const sink = {
    submit: async (facts: readonly object[]) => void outcomes.push(...facts.flatMap((fact) => ('body' in fact ? [RebuiltBody.parse(fact.body)] : []))),
  };
  await runDefinition(
    { ecosystem: { ...ecosystem, rebuilding: ecosystem.rebuilding }, sandbox, repositories, openMirror, blobs: publicStore.blobs, catalog, sink },
    { purl: toPurl(purl), definition, build: 1 },
  );
  const recorded = [...catalog.all('rebuilt', { subjectPrefix: purl })].find(
    ({ entry }) => entry.subject === purl && 'inputs' in entry && entry.inputs[0] === definition,
  );
  const [before, after] = [recorded === undefined ? 'nothing' : outcomeText(RebuiltBody.parse(recorded.entry.body)), outcomeText(outcomes[0])];
  return { purl, definition, recorded: before, now: after, same: before === after };
}

function outcomeText(body: RebuiltBody | undefined): string {
  switch (body?.status) {
    case 'built':
      return `sha256:${body.sha256}`;
    case 'failed':
      return body.failureClass;
    case 'needs':
      return `needs ${body.requirements.join(', ')}`;
    case undefined:
      return 'nothing';
  }
}

export function formatRerun({ purl, recorded, now, same }: Rerun): string {
  return `${purl}\n  recorded  ${recorded}\n  now       ${now}\n  ${same ? 'the same' : 'NOT the same'}`;
}
