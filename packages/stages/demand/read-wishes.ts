import { EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import type { WatchedBody } from '@granary/core/model';
import type { DemandedEcosystem, DemandPorts } from './demand-ports.ts';

/** What one specification asks of one ecosystem. */
export interface EcosystemWish {
  readonly of: DemandedEcosystem;
  readonly wish: Wish;
}

const MAX_LOCKFILE_BYTES = 64 * 2 ** 20;

/** What a specification asks for. Throws JobError `never` when it can't be understood. */
export async function readWishes(ports: DemandPorts, specification: string, body: WatchedBody): Promise<readonly EcosystemWish[]> {
  try {
    const wishes = body.content === undefined ? wishesOfPurl(ports, specification) : await wishesOfFile(ports, specification, body.content);
    if (wishes.length === 0) throw new JobError('never', `demand ${specification}: no ecosystem knows this specification`);
    return wishes;
  } catch (error) {
    if (error instanceof EcosystemError) throw new JobError('never', `demand ${specification}: ${error.message}`, { cause: error });
    throw error;
  }
}

function wishesOfPurl({ ecosystems }: DemandPorts, specification: string): readonly EcosystemWish[] {
  return ecosystems.flatMap((of) => {
    const wish = of.ecosystem.demand.wishOfPurl(specification);
    return wish === undefined ? [] : [{ of, wish }];
  });
}

async function wishesOfFile(
  { ecosystems, blobs }: DemandPorts,
  specification: string,
  content: NonNullable<WatchedBody['content']>,
): Promise<readonly EcosystemWish[]> {
  const bytes = await blobs.read(content, MAX_LOCKFILE_BYTES);
  if (bytes === undefined) throw new JobError('later', `demand ${specification}: the file's bytes ${content} are not in the store`);
  return ecosystems
    .filter(({ ecosystem }) => ecosystem.demand.isLockfile(specification))
    .map((of) => ({ of, wish: of.ecosystem.demand.wishOfLockfile(specification, bytes) }));
}
