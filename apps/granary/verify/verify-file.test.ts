import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyRetiredFact } from '@granary/core/bundle';
import { type Fact, sha256 } from '@granary/core/model';
import { verifierKey } from '@granary/core/tlog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatVerifyReport, VERIFY_EXIT_CODES, type VerifyCode, VerifyError, verifyExitCode, verifyFile } from './index.ts';
import { fileName, judged, makeSite, ORIGIN, purl, type TestSite, wheel } from './test/test-site.ts';

let root: string;
let site: TestSite;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'granary-verify-'));
  site = await makeSite(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bareKey = () => site.keys.statement.publicKeyPem;
const verify = (bytes = wheel, publicKey = site.publicKey) => verifyFile({ file: { bytes, fileName }, publicKey, source: site.folder });
async function refusal(verifying: Promise<unknown>): Promise<VerifyError> {
  const error: unknown = await verifying.then(() => undefined).catch((cause: unknown) => cause);
  if (!(error instanceof VerifyError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}
/** Changes a stored object behind the store's back, as rot or an intruder would. */
async function tamper(path: string, change: (text: string) => string): Promise<void> {
  const full = join(site.folder, path);
  await chmod(full, 0o644);
  const before = await readFile(full, 'latin1');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(full, after, 'latin1');
}
let size: number;
async function attested(): Promise<void> {
  size = await site.attest(judged);
}
/** The newest partial tile of a level. */
const tilePathOf = (level: string): string => `ledgers/${ORIGIN}/tile/${level}/000.p/${size}`;
async function envelopePaths(): Promise<readonly string[]> {
  const paths = await readdir(join(site.folder, 'envelopes'), { recursive: true });
  return paths
    .filter((path) => path.length > 60)
    .map((path) => join('envelopes', path))
    .sort();
}

describe('verifying a file against the folder of a mirror', () => {
  it('says what is signed about it, where it is logged, and what was demanded', async () => {
    await attested();

    const report = await verify();

    expect(report).toMatchObject({
      purl,
      ledger: { origin: ORIGIN, size, trust: 'pinned' },
      thresholds: { tlog: 1, timestamp: 0, ctlog: 0 },
      equivalence: { verdict: 'reproduced', sourceTier: 'publisher-archive' },
      summary: { result: 'PASSED', levels: ['GRANARY_REPRODUCED', 'GRANARY_SOURCE_PUBLISHER_ARCHIVE'] },
    });
    expect(report.statements.map(({ index }) => index)).toEqual([size - 6, size - 4, size - 2]);
    expect(verifyExitCode(report)).toBe(0);
  });

  it('claims who signed and at which index, and never a time', async () => {
    await attested();

    const text = formatVerifyReport(await verify());

    expect(text).toContain(`signed by ${site.keys.statement.keyId}, included at index ${size - 6} of ${ORIGIN}, size ${size}`);
    expect(text).toContain('ledger 1, time stamps 0, certificate logs 0: no time is claimed');
    expect(text).not.toMatch(/\d{4}-\d{2}-\d{2}|signed at/);
  });

  it('needs nothing but the statement key: it endorsed the key of the ledger', async () => {
    await attested();

    expect((await verify(wheel, bareKey())).ledger.trust).toBe('endorsed');
  });

  it('reads the file from its path', async () => {
    await attested();
    const path = join(root, fileName);
    await writeFile(path, wheel);

    const report = await verifyFile({ file: { path }, publicKey: site.publicKey, source: site.folder });

    expect(report.file).toEqual({ fileName, sha256: sha256(wheel) });
  });

  it('reads a ledger of several bundles whole', async () => {
    const before = await site.add(
      'sync',
      ...Array.from({ length: 600 }, (_, at): Fact => ({ kind: 'stored', subject: `pkg:pypi/p${at}@1`, inputs: [sha256(`${at}`)], body: {} })),
    );
    await attested();

    expect((await verify()).ledger.size).toBe(before + 6);
  });

  it('speaks for the newest verdict', async () => {
    await site.attest(judged);
    await site.attest({
      ...judged,
      verdictKey: sha256('later'),
      verdict: 'not-reproduced',
      cause: 'content-unexplained',
      policy: { ...judged.policy, met: false },
    });

    const report = await verify();

    expect(report.equivalence).toMatchObject({ verdict: 'not-reproduced', cause: 'content-unexplained' });
    expect(verifyExitCode(report)).toBe(VERIFY_EXIT_CODES['policy-failed']);
  });

  it('does not pass what is quarantined, and passes it again once it is released', async () => {
    await site.attest(judged);
    const quarantinedAt = await site.add('operator', { kind: 'quarantined', subject: purl, body: {} });
    const quarantined = await verify();
    await site.add('operator', { kind: 'released', subject: purl, body: {} });

    expect(quarantined.quarantinedAt).toBe(quarantinedAt - 1);
    expect(verifyExitCode(quarantined)).toBe(VERIFY_EXIT_CODES['policy-failed']);
    expect(verifyExitCode(await verify())).toBe(0);
  });

  it('counts what a key signed before it was retired', async () => {
    await site.attest(judged);
    await site.add('sequencer', keyRetiredFact(site.keys.statement.keyId, 'rotated'));

    expect(verifyExitCode(await verify())).toBe(0);
  });
});

describe('verifying refuses', () => {
  beforeEach(attested);
  const expectRefusal = async (code: VerifyCode, message: RegExp, verifying: Promise<unknown> = verify()) => {
    const error = await refusal(verifying);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(error.exitCode).toBe(VERIFY_EXIT_CODES[code]);
  };

  it('an altered file', () =>
    expectRefusal('file-altered', new RegExp(`knows that name with sha256:${sha256(wheel)}`), verify(new TextEncoder().encode('other bytes'))));

  it('a file that nothing is said about', () =>
    expectRefusal(
      'no-statement',
      /among the \d+ entries of mirror.example/,
      verifyFile({ file: { bytes: new Uint8Array(3) }, publicKey: site.publicKey, source: site.folder }),
    ));

  it('a file that was mirrored and not judged yet, and another in its place', async () => {
    const name = 'new-1-py3-none-any.whl';
    const bytes = new TextEncoder().encode('new');
    await site.add('sync', { kind: 'stored', subject: `pkg:pypi/new@1?file_name=${name}`, inputs: [sha256(bytes)], body: { sha256: sha256(bytes) } });
    const request = { publicKey: site.publicKey, source: site.folder };

    await expectRefusal('no-statement', /mirrored, but nothing is signed about it/, verifyFile({ ...request, file: { bytes, fileName: name } }));
    await expectRefusal('file-altered', /do not use this file/, verifyFile({ ...request, file: { bytes: wheel.slice(1), fileName: name } }));
  });

  it('what was rebuilt, in the place of what was published', async () => {
    const subject = { name: fileName, sha256: sha256('what came out') };
    await site.attest({
      ...judged,
      verdictKey: sha256('other'),
      verdict: 'not-reproduced',
      rebuilt: { subject, definition: sha256('d'), rootfs: sha256('r'), fetched: [] },
    });

    await expectRefusal('no-statement', /is what was rebuilt for pkg:pypi\/six/, verify(new TextEncoder().encode('what came out')));
  });

  it('an altered envelope', async () => {
    for (const path of await envelopePaths())
      await tamper(path, (text) => text.replace(/("payload":".{40})./, (_, start: string) => `${start}_`.replace('_', text.includes(`${start}A`) ? 'B' : 'A')));

    await expectRefusal('envelope-altered', /not the one that was signed and logged/);
  });

  it('an envelope whose signature was replaced', async () => {
    for (const path of await envelopePaths()) await tamper(path, (text) => text.replace(/"sig":"[^"]+"/, '"sig":"MAYCAQECAQE="'));

    await expectRefusal('envelope-altered', /not the one that was signed and logged/);
  });

  it('a checkpoint with another size or another signature', async () => {
    await tamper(`ledgers/${ORIGIN}/checkpoint`, (text) => text.replace(`\n${size}\n`, '\n8\n'));

    await expectRefusal('checkpoint-altered', /not what mirror\.example\+[0-9a-f]{8}\+.* signed/);
  });

  it('entries that do not lead to the signed root', async () => {
    await tamper(tilePathOf('entries'), (text) => text.replace('pkg:pypi/six', 'pkg:pypi/sax'));

    await expectRefusal('ledger-altered', /not the leaf whose hash the log has/);
  });

  it('hashes that do not lead to the signed root', async () => {
    await tamper(tilePathOf('0'), (text) => `${String.fromCharCode(text.charCodeAt(0) ^ 1)}${text.slice(1)}`);

    await expectRefusal('ledger-altered', /root/);
  });

  it('a missing envelope', async () => {
    for (const path of await envelopePaths()) await rm(join(site.folder, path));

    await expectRefusal('bundle-malformed', /not there, though the ledger names it/);
  });

  it('the key of somebody else', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();

    await expectRefusal('wrong-key', /is this the public key of that mirror/, verify(wheel, pem));
    await expectRefusal('wrong-key', /but the public key given is SHA256:/, verify(wheel, `ledger ${site.ledgerKey.text}\n${pem}`));
  });

  it('a ledger that the public key file does not name', () =>
    expectRefusal(
      'ledger-unknown',
      /holds no ledger other\.example/,
      verify(wheel, `ledger ${verifierKey('other.example', new Uint8Array(32)).text}\n${bareKey()}`),
    ));

  it('a private key in place of the public one', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');

    await expectRefusal('bad-public-key', /private key/, verify(wheel, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()));
  });

  it('less evidence than it was told to demand', async () => {
    const request = { file: { bytes: wheel }, publicKey: site.publicKey, source: site.folder };

    await expectRefusal('threshold-missed', /expected 1 timestamps, got 0/, verifyFile({ ...request, thresholds: { tlog: 1, timestamp: 1, ctlog: 0 } }));
    await expectRefusal('threshold-missed', /expected 2 tlog entries/, verifyFile({ ...request, thresholds: { tlog: 2, timestamp: 0, ctlog: 0 } }));
    await expectRefusal('threshold-missed', /never lowered/, verifyFile({ ...request, thresholds: { tlog: 0, timestamp: 0, ctlog: 0 } }));
  });

  it('a folder that is no mirror', () =>
    expectRefusal('mirror-unreachable', /granary\.json/, verifyFile({ file: { bytes: wheel }, publicKey: bareKey(), source: root })));

  it('a file that is not there', () =>
    expectRefusal('file-unreadable', /ENOENT/, verifyFile({ file: { path: join(root, 'missing.whl') }, publicKey: bareKey(), source: site.folder })));
});

describe('verifying refuses signatures of a key', () => {
  it('made after it was retired', async () => {
    const retired = await site.add('sequencer', keyRetiredFact(site.keys.statement.keyId, 'rotated'));
    await attested();

    const error = await refusal(verify());

    expect([error.code, error.message]).toEqual(['key-retired', expect.stringContaining(`count only below entry ${retired - 1} of ${ORIGIN} (rotated)`)]);
  });

  it('made before it was reported stolen, back to the index that is named', async () => {
    await attested();
    await site.add('sequencer', keyRetiredFact(site.keys.statement.keyId, 'compromised', size - 3));

    expect((await refusal(verify())).code).toBe('key-retired');
  });
});

describe('every refusal', () => {
  it('has an exit code of its own', () => {
    const codes = Object.values(VERIFY_EXIT_CODES);

    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => code > 2 && code < 64)).toBe(true);
  });
});
