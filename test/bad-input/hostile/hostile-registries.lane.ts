import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { type Ended, granary } from '../../machine/granary.ts';
import { isPlain } from '../site.ts';
import { ATTACKS, drip } from './attacks.ts';
import { HostileResult, type HostileSite, openHostileSite, watchMemory } from './hostile-site.ts';
import { type DocumentAttack, REGISTRIES, type Registry } from './registries.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** What Node and the largest documents that are read come to, several at once. */
const MAX_MEMORY_BYTES = 1.5 * 2 ** 30;
/** Tries again included. */
const MAX_SECONDS = 400;
const MEANWHILE_MS = 300_000;
const DOCUMENTS: readonly DocumentAttack[] = ['deep', 'million', 'garbage', 'nothing'];
const ODD_DOCUMENTS: readonly DocumentAttack[] = ['oddpaths', 'oddkeys'];
const CONTENTS = ['bomb', 'outside'] as const;
const BY_LOCK = { by: 'lock' } as const;

let site: HostileSite;
let ended: Ended;
let result: z.output<typeof HostileResult>;
let peakBytes = 0;

// Everything at once, and in one process: what one upstream does must not cost another anything.
beforeAll(async () => {
  site = await openHostileSite();
  for (const registry of REGISTRIES) {
    site.want(registry, 'honest');
    for (const [attack, { answer }] of Object.entries(ATTACKS)) {
      site.upstream.attack(site.want(registry, `index${attack}`).index, answer);
      site.upstream.attack(site.want(registry, `file${attack}`, BY_LOCK).file, answer);
    }
    for (const attack of CONTENTS) site.want(registry, `holds${attack}`, { ...BY_LOCK, attack });
    for (const attack of [...DOCUMENTS, ...ODD_DOCUMENTS]) {
      const { index } = site.want(registry, `says${attack}`);
      site.upstream.serve({ ...index, body: registry.document(`says${attack}`, attack) });
    }
  }
  const running = await site.start('--once', '--json');
  const memory = watchMemory(running.pid);
  ended = await running.ended;
  peakBytes = memory.peakBytes();
  result = HostileResult.parse(JSON.parse(ended.stdout));
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

/** What was said of a package; its purl ends with the name or goes on with a version. */
function saidOf({ id }: Registry, name: string): readonly string[] {
  const mentions = new RegExp(`pkg:${id}/([^\\s@]+/)?${name}(@|$)`);
  return result.failures.filter(({ job, error }) => mentions.test(job) || mentions.test(/pkg:\S+/.exec(error)?.[0] ?? '')).map(({ error }) => error);
}

describe.each(REGISTRIES)('of an upstream of $id', (registry) => {
  it.each(Object.entries(ATTACKS))('an index that is %s is refused, and said to be', (attack, { index = registry.saysUnreadable }) => {
    expect(saidOf(registry, `index${attack}`)).toEqual([expect.stringMatching(index)]);
  });

  it.each(Object.entries(ATTACKS))('a file that is %s is refused, and said to be', (attack, { file = registry.saysOther }) => {
    expect(saidOf(registry, `file${attack}`)).toEqual([expect.stringMatching(file)]);
  });

  it.each(DOCUMENTS)('an index that holds %s is refused, and said to', (attack) => {
    expect(saidOf(registry, `says${attack}`)).toEqual([expect.stringMatching(registry.saysOf[attack] ?? registry.saysUnreadable)]);
  });

  it.each(ODD_DOCUMENTS)('an index with %s costs nothing but what is odd', async (attack) => {
    expect(saidOf(registry, `says${attack}`)).toEqual([]);
    expect(await site.isHeld(registry, `says${attack}`)).toBe(true);
  });

  it.each(CONTENTS)('a file that holds a %s is kept as it is where nothing is read from it, or refused', async (attack) => {
    const says = registry.saysOf[attack];

    expect(saidOf(registry, `holds${attack}`)).toEqual(says === undefined ? [] : [expect.stringMatching(says)]);
    expect(await site.isHeld(registry, `holds${attack}`)).toBe(says === undefined);
  });

  it('an honest package is there', async () => {
    expect(saidOf(registry, 'honest')).toEqual([]);
    expect(await site.isHeld(registry, 'honest')).toBe(true);
  });
});

describe('all of it together', () => {
  it('ends as a run does whose upstreams lack something, in sentences of ours, within its time and its memory', () => {
    expect(ended.code).toBe(0);
    expect(isPlain(ended.stderr)).toBe(true);
    expect(result.failures.filter(({ error }) => error.includes('\n') || error.length > 1500)).toEqual([]);
    expect(ended.seconds).toBeLessThan(MAX_SECONDS);
    expect(peakBytes).toBeLessThan(MAX_MEMORY_BYTES);
  });

  it('leaves nothing behind, and reached nothing that nobody configured', async () => {
    expect(await site.unfinished()).toEqual([]);
    expect(existsSync('/tmp/granary-escaped')).toBe(false);
    expect(site.upstream.askedInside).toEqual([]);
    expect((await granary(['ledger', 'check'], { cwd: site.folder })).code).toBe(0);
  });
});

describe('upstreams that trickle', () => {
  it('hold up nobody else', async () => {
    for (const registry of REGISTRIES) {
      site.upstream.attack(site.want(registry, 'indexdrip').index, drip);
      site.upstream.attack(site.want(registry, 'filedrip', BY_LOCK).file, drip);
      site.want(registry, 'meanwhile');
    }
    await using _running = await site.start('--json');
    const startedAt = performance.now();
    const held = new Set<Registry>();
    while (held.size < REGISTRIES.length && performance.now() - startedAt < MEANWHILE_MS)
      for (const registry of REGISTRIES) if (await site.isHeld(registry, 'meanwhile')) held.add(registry);

    expect([...held].map(({ id }) => id).toSorted()).toEqual(REGISTRIES.map(({ id }) => id).toSorted());
    for (const { id } of REGISTRIES) expect(site.upstream.trickling().filter((path) => path.startsWith(`/${id}/`))).not.toEqual([]);
  });
});

describe('upstreams that have mended themselves', () => {
  it('give everything they have', async () => {
    for (const registry of REGISTRIES) {
      const names = Object.keys(ATTACKS).concat('drip');
      const again = [...names.map((name) => `index${name}`), ...DOCUMENTS.map((name) => `says${name}`)].map((name) => site.want(registry, name));
      const locked = [...names.map((name) => `file${name}`), ...CONTENTS.map((name) => `holds${name}`)].map((name) => site.want(registry, name, BY_LOCK));
      for (const { index, file } of [...again, ...locked]) for (const page of [index, file]) site.upstream.attack(page, undefined);
    }

    const { code, stdout } = await (await site.start('--once', '--json')).ended;

    expect(code).toBe(0);
    expect(HostileResult.parse(JSON.parse(stdout)).failures).toEqual([]);
    for (const registry of REGISTRIES) expect(await site.isHeld(registry, 'indexendless')).toBe(true);
    expect((await granary(['ledger', 'check'], { cwd: site.folder })).code).toBe(0);
  });
});
