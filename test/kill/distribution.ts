import { MOMENTS, type Moment } from './moments.ts';

/** One kill: what it was aimed at, and what was going on when it came. */
export interface Kill {
  readonly aimedAt: Moment | 'any';
  readonly inside: ReadonlySet<Moment>;
}

/** How many kills came inside of each stage, whatever they were aimed at. */
export function insideOf(kills: readonly Kill[]): ReadonlyMap<Moment, number> {
  return new Map(MOMENTS.map((moment) => [moment, kills.filter(({ inside }) => inside.has(moment)).length]));
}

/** A row per stage. Several things go on at once, so that one kill may stand in several rows. */
export function distributionTable(kills: readonly Kill[]): string {
  const rows = MOMENTS.map((moment) => {
    const aimed = kills.filter(({ aimedAt }) => aimedAt === moment);
    const hit = aimed.filter(({ inside }) => inside.has(moment));
    return [moment, aimed.length, hit.length, insideOf(kills).get(moment) ?? 0] as const;
  });
  const anywhere = kills.filter(({ aimedAt }) => aimedAt === 'any').length;
  const outside = kills.filter(({ inside }) => inside.size === 0).length;
  return [
    '| stage | aimed at | aimed at and inside | inside at the kill |',
    '|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    `| any moment of a run | ${anywhere} | | |`,
    `| start, sweep, end: inside none | | | ${outside} |`,
    `| all | ${kills.length} | | |`,
  ].join('\n');
}
