import type { Definition } from '@granary/contract/ecosystem';
import { readBuildHistory } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog } from '@granary/contract/ports';
import { AttestedBody, isSecurityFinding, LocatedBody, type SourceFinding, StoredBody, VanishedBody, VerdictBody } from '@granary/core/model';
import { type FoundArtifact, findArtifacts } from './find-artifacts.ts';

const MAX_DEFINITION_BYTES = 16 * 2 ** 20;

/** Everything that is known of one artifact, with the places in the ledger that say so. */
export interface Explanation {
  readonly purl: string;
  readonly sha256: string;
  readonly stored: { readonly entry: number; readonly at: string; readonly evidence: StoredBody['evidence']; readonly licence: string | null };
  readonly upstream: 'listed' | VanishedBody['state'];
  readonly source: NonNullable<LocatedBody['source']> | null;
  /** What the sources say against each other. */
  readonly sourceFindings: readonly SourceFinding[];
  readonly attempts: readonly {
    readonly definition: string | null;
    /** The operator's file that some of the definition is from. */
    readonly basis: Definition['basis'] | null;
    readonly came: string;
    readonly notes: readonly string[];
  }[];
  readonly verdict: ({ readonly entry: number; readonly at: string } & VerdictBody) | null;
  readonly attested: readonly { readonly entry: number; readonly predicateType: string; readonly keyId: string }[];
}

/** Explains every artifact that a purl names. */
export async function explain(ports: { readonly catalog: Catalog; readonly blobs: BlobStore }, purl: string): Promise<readonly Explanation[]> {
  return await Promise.all(findArtifacts(ports.catalog, purl).map((found) => explainOne(ports, found)));
}

async function explainOne(ports: { readonly catalog: Catalog; readonly blobs: BlobStore }, { artifact, stored }: FoundArtifact): Promise<Explanation> {
  const { catalog } = ports;
  const body = StoredBody.parse(stored.entry.body);
  const vanished = catalog.current('vanished', artifact.purl);
  const located = catalog.current('located', artifact.purl);
  const { source, findings } = located === undefined ? {} : LocatedBody.parse(located.entry.body);
  const verdict = catalog.current('verdict', artifact.purl);
  const judged = verdict === undefined ? undefined : VerdictBody.parse(verdict.entry.body);
  const attested = catalog.ofDigest('attested', artifact.sha256).filter(({ entry }) => entry.subject === artifact.purl);
  return {
    purl: artifact.purl,
    sha256: artifact.sha256,
    stored: { entry: stored.index, at: stored.entry.at, evidence: body.evidence, licence: body.licence ?? null },
    upstream: vanished === undefined ? 'listed' : VanishedBody.parse(vanished.entry.body).state,
    source: source ?? null,
    // Some are found when the source is looked for, some when what it came to is judged.
    sourceFindings: [...new Set([...(findings ?? []), ...(judged?.findings ?? [])])],
    attempts: await attemptsOf(ports, artifact),
    verdict: verdict === undefined || judged === undefined ? null : { entry: verdict.index, at: verdict.entry.at, ...judged },
    attested: attested.map(({ index, entry }) => ({ entry: index, ...AttestedBody.pick({ predicateType: true, keyId: true }).parse(entry.body) })),
  };
}

async function attemptsOf(
  ports: { readonly catalog: Catalog; readonly blobs: BlobStore },
  artifact: FoundArtifact['artifact'],
): Promise<Explanation['attempts']> {
  const steps = await readBuildHistory(ports, artifact);
  return await Promise.all(
    steps.map(async ({ plan, rebuilt, compared }) => {
      const { result } = plan;
      if (result.type !== 'definition')
        return {
          definition: null,
          basis: null,
          came: result.type === 'unresolvable' ? `unresolvable: ${result.detail}` : (result.detail ?? 'nothing more to try'),
          notes: plan.proposal?.notes ?? [],
        };
      const built = rebuilt?.body;
      const came =
        compared !== undefined
          ? `compared: ${compared.body.rung}, ${compared.body.residue} differences`
          : built?.status === 'failed'
            ? `${built.failureClass}: ${built.detail}`
            : (built?.status ?? 'not built yet');
      return { definition: result.definition, came, ...(await saidBy(ports.blobs, result.definition)) };
    }),
  );
}

async function saidBy(blobs: BlobStore, digest: Parameters<BlobStore['read']>[0]): Promise<Pick<Explanation['attempts'][number], 'basis' | 'notes'>> {
  const bytes = await blobs.read(digest, MAX_DEFINITION_BYTES);
  if (bytes === undefined) return { basis: null, notes: [] };
  const definition: Definition = JSON.parse(new TextDecoder().decode(bytes));
  const notes = [
    ...definition.notes,
    ...definition.parameters.map(({ name, value, from }) => `${name}=${value} (read from ${from})`),
    ...definition.assists.map(({ path, why }) => `taken from the published artifact: ${path}: ${why}`),
  ];
  return { basis: definition.basis ?? null, notes };
}

const FINDING_TEXTS: Readonly<Record<SourceFinding, string>> = {
  'claimed-commit-missing': "the commit that the package names isn't in its repository",
  'claimed-commit-differs': 'another commit than the one that the package names has more of its files',
  'commit-lacks-files': 'it has files, or bytes in them, that neither its commit has nor a build of that made',
  'claimed-directory-differs': 'the package stands in another folder of the repository than it says',
  'sources-disagree':
    'several commits have equally much of it, and are named by different sources; or its attestation names another repository than the package',
};

function sourceText(source: NonNullable<LocatedBody['source']>): string {
  const written = source.written === undefined ? '' : `, by what the operator wrote (record ${source.written})`;
  if (source.kind === 'archive') return `${source.purl} sha256:${source.sha256}, ${source.tier}${written}`;
  const where = source.directory === undefined ? '' : `, in ${source.directory}`;
  return `${source.repository} commit ${source.commit}${where}, ${source.tier}, found by ${source.evidence}${source.ref === undefined ? '' : ` (${source.ref})`}${written}`;
}

function evidenceText(evidence: StoredBody['evidence'][number]): string {
  if (evidence.state === 'unchecked') return `, ${evidence.why}`;
  return evidence.state === 'checked' && evidence.by !== undefined ? `, by ${evidence.by}` : '';
}

/** For people. */
export function formatExplanation(explanation: Explanation): string {
  const { verdict, stored, source } = explanation;
  const reason =
    verdict === null ? 'pending' : [verdict.verdict, verdict.rung, verdict.failureClass ?? verdict.cause].filter((part) => part !== undefined).join(', ');
  return [
    explanation.purl,
    `  sha256    ${explanation.sha256}`,
    `  verdict   ${reason}${verdict === null ? '' : ` (entry ${verdict.entry}, ${verdict.at})`}`,
    `  source    ${source === null ? 'none located' : sourceText(source)}`,
    ...explanation.sourceFindings.map((finding) => `  ${isSecurityFinding(finding) ? 'SECURITY  ' : 'note      '}${finding}: ${FINDING_TEXTS[finding]}`),
    `  stored    entry ${stored.entry}, ${stored.at}${stored.licence === null ? '' : `, licence ${stored.licence}`}; upstream: ${explanation.upstream}`,
    ...stored.evidence.map((evidence) => `  evidence  ${evidence.check}: ${evidence.state}${evidenceText(evidence)}`),
    ...explanation.attempts.flatMap(({ definition, basis, came, notes }, index) => [
      `  attempt ${index + 1} ${definition ?? ''}`,
      `            ${came}`,
      ...(basis === null || basis === undefined ? [] : [`            written by the operator: ${basis.file} sha256:${basis.sha256}`]),
      ...notes.map((note) => `            ${note}`),
    ]),
    ...explanation.attested.map(({ entry, predicateType }) => `  attested  ${predicateType} (entry ${entry})`),
  ].join('\n');
}
