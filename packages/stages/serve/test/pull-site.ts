import { packageOf } from '@granary/core/model';
import type { Pulled, PullRefusal, PullThrough } from '../index.ts';
import { openTestSite, type TestSite } from './site.ts';

type Listed = Parameters<TestSite['observe']>[0];
/** A site whose upstream is set by hand, and which fetches from it for clients. */
export interface PullSite {
  readonly site: TestSite;
  /** What upstream's index lists from now on; it doesn't answer, or has no such package. */
  list(files: Listed | 'silent' | 'absent'): void;
  /** What the next fetch comes to; else the file comes, and is stored with its last byte. */
  refuse(refusal: PullRefusal | undefined): void;
  /** From now on what came is recorded only when somebody wants it to show. */
  recordLate(): void;
  /** From now on what came is in memory when it is given, and can't be read otherwise. */
  holdInMemory(): void;
  /** Done once, while upstream's index is looked at for the next request. */
  meanwhile(step: () => Promise<void>): void;
  /** What upstream was asked for. */
  readonly asked: readonly string[];
}

export function openPullSite(refusal: PullThrough['refusal'] = () => undefined): PullSite {
  const asked: string[] = [];
  let listed: Listed | 'silent' | 'absent' = 'absent';
  let refused: PullRefusal | undefined;
  let late: string[] | undefined;
  let isInMemory = false;
  let step: (() => Promise<void>) | undefined;
  const look: PullThrough['look'] = async (packagePurl) => {
    asked.push(packagePurl);
    if (listed === 'silent' || listed === 'absent') return { type: listed === 'silent' ? 'stale' : 'absent' };
    await site.observe(listed);
    const next = step;
    step = undefined;
    await next?.();
    return { type: 'current' };
  };
  const pull: PullThrough = {
    refusal,
    look,
    sight: look,
    shown: () => (late === undefined || late.length === 0 ? undefined : Promise.all(late.splice(0).map((fileName) => site.keep(fileName)))),
    async fetch(file, until) {
      asked.push(`${until} ${file.purl.slice(packageOf(file.purl).length)}`);
      if (refused !== undefined) return { type: 'refused', refusal: refused };
      const fileName = file.purl.split('file_name=')[1] ?? '';
      if (until === 'whole') await site.keep(fileName);
      return comingOf(fileName, isInMemory, async () => {
        if (late !== undefined) late.push(fileName);
        else if (until === 'bytes') await site.keep(fileName);
      });
    },
  };
  const site = openTestSite({ pull });
  return {
    ...{ site, asked },
    recordLate: () => {
      late = [];
    },
    holdInMemory: () => {
      isInMemory = true;
    },
    meanwhile: (next) => {
      step = next;
    },
    list: (files) => {
      listed = files;
    },
    refuse: (next) => {
      refused = next;
    },
  };
}

/** A file whose content is its name. `end` comes with its last byte. */
function comingOf(fileName: string, isInMemory: boolean, end: () => Promise<void>): Pulled {
  const open = async function* () {
    if (isInMemory) throw new Error('it is in memory');
    yield Buffer.from(fileName);
    await end();
  };
  return { type: 'coming', sizeBytes: fileName.length, open, whole: isInMemory ? Buffer.from(fileName) : undefined };
}
