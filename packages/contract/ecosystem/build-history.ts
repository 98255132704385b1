import { ComparedBody, factKey, type LocatedBody, type Purl, RebuiltBody, type Sha256, WantedBody } from '@granary/core/model';
import { type BlobStore, type Catalog, type CatalogFact, StoreError } from '../ports/index.ts';
import { decodePlan, type PlanRecord } from './plan-record.ts';

/** One step of the way to a verdict on an artifact. */
export interface BuildStep {
  readonly plan: PlanRecord;
  /** Of the first build of the planned definition. */
  readonly rebuilt?: { readonly fact: CatalogFact; readonly body: RebuiltBody };
  /** Of the second build, made when the first differs from what was published. */
  readonly again?: { readonly fact: CatalogFact; readonly body: RebuiltBody };
  readonly compared?: { readonly fact: CatalogFact; readonly body: ComparedBody };
}

const MAX_PLAN_BYTES = 4 * 2 ** 20;

/** What was planned, built and compared for an artifact so far, oldest first: derived from facts alone, so that any worker can go on. */
export async function readBuildHistory(
  ports: { readonly catalog: Catalog; readonly blobs: BlobStore },
  artifact: { readonly purl: Purl; readonly sha256: Sha256 },
): Promise<readonly BuildStep[]> {
  const plans = [...ports.catalog.all('wanted', { subjectPrefix: artifact.purl, history: true })].filter(({ entry }) => entry.subject === artifact.purl);
  return await Promise.all(plans.map(async (fact) => stepOf(ports.catalog, artifact, await readPlan(ports.blobs, fact))));
}

/** Of these, the steps at one source, as its operator wrote it down or nobody did. */
export function stepsFrom(steps: readonly BuildStep[], source: NonNullable<LocatedBody['source']>): readonly BuildStep[] {
  const id = source.kind === 'archive' ? source.sha256 : source.commit;
  return steps.filter(({ plan }) => plan.source?.written === source.written && (plan.source === undefined ? source.kind === 'archive' : plan.source.id === id));
}

/** Inputs of the `compared` fact of one built definition. */
export function comparedInputs(published: Sha256, rebuilt: Sha256, definition: Sha256): readonly string[] {
  return [published, rebuilt, definition];
}

async function readPlan(blobs: BlobStore, fact: CatalogFact): Promise<PlanRecord> {
  const { manifest } = WantedBody.parse(fact.entry.body);
  const bytes = await blobs.read(manifest, MAX_PLAN_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `read plan ${manifest} of ${fact.entry.subject}: not in the store`);
  return decodePlan(bytes);
}

function stepOf(catalog: Catalog, artifact: { readonly purl: Purl; readonly sha256: Sha256 }, plan: PlanRecord): BuildStep {
  if (plan.result.type !== 'definition') return { plan };
  const { definition } = plan.result;
  const rebuilt = rebuiltFact(catalog, artifact.purl, definition, 1);
  const again = rebuiltFact(catalog, artifact.purl, definition, 2);
  const built = plan.result.against ?? (rebuilt?.body.status === 'built' ? rebuilt.body.sha256 : undefined);
  const compared =
    built === undefined
      ? undefined
      : catalog.byKey(factKey({ kind: 'compared', subject: artifact.purl, inputs: comparedInputs(artifact.sha256, built, definition), body: {} }));
  return {
    plan,
    ...(rebuilt === undefined ? {} : { rebuilt }),
    ...(again === undefined ? {} : { again }),
    ...(compared === undefined ? {} : { compared: { fact: compared, body: ComparedBody.parse(compared.entry.body) } }),
  };
}

function rebuiltFact(
  catalog: Catalog,
  subject: string,
  definition: Sha256,
  build: number,
): { readonly fact: CatalogFact; readonly body: RebuiltBody } | undefined {
  const fact = catalog.byKey(factKey({ kind: 'rebuilt', subject, inputs: [definition], body: {}, ...(build === 1 ? {} : { build }) }));
  return fact === undefined ? undefined : { fact, body: RebuiltBody.parse(fact.entry.body) };
}
