import { existsSync } from 'node:fs';
import { checkGitHost } from '@granary/driver-git-native';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Ended } from '../machine/granary.ts';
import { HARMLESS, OF_ADDRESSES, OF_LISTS, OF_PACKS } from './repositories/attacks.ts';
import { openRepositorySite, type RepositorySite, UpResult, watchMemory } from './repositories/hostile-repositories.ts';
import { isPlain } from './site.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 400_000 });

const host = await checkGitHost();
const reason = host.ok ? undefined : host.why;
const title = (text: string) => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`;
const ATTACKS = { ...OF_ADDRESSES, ...OF_LISTS, ...OF_PACKS };
/** A million refs that are read before they are too many, beside everything else. */
const MAX_MEMORY_BYTES = 2 ** 30;
/** What is asked again at once waits three times, 46 s at most; the rest is a machine that is busy. */
const MAX_SECONDS = 350;
/** Of one look, at most: what a client of HTTP tries again, or is led around. */
const MAX_REQUESTS_A_LOOK = 6;

describe.skipIf(reason !== undefined)(title('servers of git that misbehave, all at once'), () => {
  let site: RepositorySite;
  let ended: Ended;
  let failures: readonly { readonly job: string; readonly error: string }[];
  let peakBytes = 0;
  // In one process: what one server does must not cost another anything.
  beforeAll(async () => {
    site = await openRepositorySite();
    const hosts = [...Object.entries(ATTACKS).map(([name, { answers }]) => [name, answers] as const), ...Object.entries(HARMLESS)];
    const watch: string[] = [];
    for (const [name, answers] of hosts) watch.push(await site.forge.host(name, answers));
    const running = await site.start(watch, 'up', '--once', '--json');
    const memory = watchMemory(running.pid);
    ended = await running.ended;
    peakBytes = memory.peakBytes();
    if (ended.code !== 0) throw new Error(`up ended with ${ended.code}:\n${ended.stderr}`);
    failures = UpResult.parse(JSON.parse(ended.stdout)).failures;
  });
  afterAll(async () => await site?.[Symbol.asyncDispose]());

  it.each(Object.entries(ATTACKS))('%s: one line says of which repository what happened', (name, { says }) => {
    const purl = `pkg:git/${name}.example/x`;

    const said = failures.filter(({ job }) => job === purl).map(({ error }) => error);

    expect(said).toEqual([expect.stringMatching(says)]);
    expect(said[0]).toMatch(new RegExp(`^mirror ${purl} from http://127\\.0\\.0\\.1:\\d+/x: [^\\p{Cc}]{1,400}$`, 'u'));
  });

  it.each(Object.entries(ATTACKS))('%s: is asked again only where that may help, and not without end', (name, { looks }) => {
    const asked = site.forge.looks.get(name) ?? 0;

    if (looks === 'once') expect(asked).toBeLessThanOrEqual(MAX_REQUESTS_A_LOOK);
    else expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(4 * MAX_REQUESTS_A_LOOK);
  });

  it('cost the others nothing: what is only odd is kept', () => {
    expect(site.observed()).toEqual(
      Object.keys(HARMLESS)
        .map((name) => `pkg:git/${name}.example/x`)
        .sort(),
    );
    expect(failures).toHaveLength(Object.keys(ATTACKS).length);
    expect(isPlain(ended.stderr)).toBe(true);
  });

  it('leave no pack, blob, scratch file, connection or process behind, and were led nowhere', async () => {
    expect(await site.orphans()).toEqual([]);
    expect(await site.litter()).toEqual({ scratch: [], packs: Object.keys(HARMLESS).length });
    expect(site.processes()).toEqual([]);
    expect([...site.forge.underWay]).toEqual([]);
    expect(site.forge.askedInside).toEqual([]);
    expect(existsSync('/tmp/granary-escaped')).toBe(false);
  });

  it('cost memory and time that have a limit', () => {
    expect(peakBytes).toBeGreaterThan(0);
    expect(peakBytes).toBeLessThan(MAX_MEMORY_BYTES);
    expect(ended.seconds).toBeLessThan(MAX_SECONDS);
  });

  it.each(['--upload-pack=touch /tmp/granary-escaped', 'ext::sh -c "touch /tmp/granary-escaped"', 'file:///etc', 'git@forge.example:../x'])(
    'no watch list has %s: it is no repository',
    async (line) => {
      const running = await site.start([], 'watch', 'add', '--', line);

      const { code, stdout, stderr } = await running.ended;

      expect({ code: [64, 65, 66].includes(code), stdout }, `${code} ${stderr}`).toEqual({ code: true, stdout: '' });
      expect(stderr).toMatch(/^granary: [^\n]+\n$/);
      expect(existsSync('/tmp/granary-escaped')).toBe(false);
    },
  );
});
