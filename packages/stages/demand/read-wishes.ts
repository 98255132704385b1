import { type Ecosystem, EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { isRepositoryPurl } from '@granary/core/git';
import { type Purl, parsePurl, type WatchedBody } from '@granary/core/model';
import type { DemandPorts } from './demand-ports.ts';
import { readSbom } from './sbom.ts';
import { pinsOfSbom } from './sbom-wishes.ts';

/** What one specification asks of one ecosystem. */
export interface EcosystemWish<E> {
  readonly of: E;
  readonly wish: Wish;
}
export interface Wishes<E> {
  readonly wishes: readonly EcosystemWish<E>[];
  /** What is named and asked of nobody, one line each, for people. */
  readonly notCovered: readonly string[];
  /** Source repositories that are asked for themselves. */
  readonly repositories: readonly Purl[];
}

/** The bytes of a watched file, at most. */
export const MAX_WATCHED_BYTES = 64 * 2 ** 20;

/** What a specification asks for; `content` are the bytes, when it is a file. Throws EcosystemError when nobody understands it, or it is malformed. */
export function wishesOf<E extends { readonly ecosystem: Pick<Ecosystem, 'id' | 'demand'> }>(
  ecosystems: readonly E[],
  specification: string,
  content?: Uint8Array,
): Wishes<E> {
  const purl = content === undefined ? parsePurl(specification) : undefined;
  if (purl !== undefined && isRepositoryPurl(purl)) return { wishes: [], notCovered: [], repositories: [purl] };
  const wishes = content === undefined ? wishesOfPurl(ecosystems, specification) : wishesOfLockfile(ecosystems, specification, content);
  if (wishes.length > 0) return { wishes, notCovered: [], repositories: [] };
  const components = content === undefined ? undefined : readSbom(specification, content);
  if (components === undefined) throw new EcosystemError('unsupported', `${specification}: no ecosystem knows this`);
  const { pins, notCovered } = pinsOfSbom(ecosystems, components);
  return { wishes: [...pins].map(([of, found]) => ({ of, wish: { type: 'pins', label: specification, pins: found } })), notCovered, repositories: [] };
}

/** As {@link wishesOf}, of a fact. Throws JobError `never` when it can't be understood. */
export async function readWishes(
  { ecosystems, blobs }: DemandPorts,
  specification: string,
  body: WatchedBody,
): Promise<Wishes<DemandPorts['ecosystems'][number]>> {
  const content = body.content === undefined ? undefined : await blobs.read(body.content, MAX_WATCHED_BYTES);
  if (body.content !== undefined && content === undefined)
    throw new JobError('later', `demand ${specification}: the file's bytes ${body.content} are not in the store`);
  try {
    return wishesOf(ecosystems, specification, content);
  } catch (error) {
    if (error instanceof EcosystemError) throw new JobError('never', `demand ${specification}: ${error.message}`, { cause: error });
    throw error;
  }
}

function wishesOfPurl<E extends { readonly ecosystem: Pick<Ecosystem, 'demand'> }>(ecosystems: readonly E[], specification: string): EcosystemWish<E>[] {
  return ecosystems.flatMap((of) => {
    const wish = of.ecosystem.demand.wishOfPurl(specification);
    return wish === undefined ? [] : [{ of, wish }];
  });
}

function wishesOfLockfile<E extends { readonly ecosystem: Pick<Ecosystem, 'demand'> }>(
  ecosystems: readonly E[],
  fileName: string,
  content: Uint8Array,
): EcosystemWish<E>[] {
  return ecosystems
    .filter(({ ecosystem }) => ecosystem.demand.isLockfile(fileName))
    .map((of) => ({ of, wish: of.ecosystem.demand.wishOfLockfile(fileName, content) }));
}
