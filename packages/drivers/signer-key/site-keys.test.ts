import { createPublicKey, verify } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrustFile } from '@granary/core/bundle';
import { formatCheckpoint, formatNote, openCheckpoint, parseVerifierKey } from '@granary/core/tlog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportPublicKey, openSiteKeys, ROLES } from './index.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'granary-keys-'));
  folder = join(root, 'keys');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = new TextEncoder().encode('signed');

describe('the keys of a site', () => {
  it('are made once and loaded ever after', async () => {
    const made = await openSiteKeys(folder);
    const loaded = await openSiteKeys(folder);

    expect(loaded.statement.publicKeyPem).toBe(made.statement.publicKeyPem);
    expect(loaded.ledgers.public.verifierKey).toBe(made.ledgers.public.verifierKey);
    expect(ROLES.map((role) => loaded.roles[role].keyId)).toEqual(ROLES.map((role) => made.roles[role].keyId));
    expect(new Set(ROLES.map((role) => made.roles[role].keyId)).size).toBe(ROLES.length);
  });

  it('lie in files that only their owner reads, and leave no other file behind', async () => {
    await openSiteKeys(folder);

    const names = await readdir(folder);
    const modes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mode & 0o777));
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('are the same for two that open a new folder at once', async () => {
    const [one, other] = await Promise.all([openSiteKeys(folder), openSiteKeys(folder)]);

    expect(other.statement.keyId).toBe(one.statement.keyId);
    expect(other.roles.judge.keyId).toBe(one.roles.judge.keyId);
  });

  it('are completed when the run that made them died half-way', async () => {
    const before = await openSiteKeys(folder);
    await unlink(join(folder, 'keys.json'));
    await unlink(join(folder, 'role-demand.pem'));

    const after = await openSiteKeys(folder);

    expect(after.statement.keyId).toBe(before.statement.keyId);
    expect(after.roles.demand.keyId).not.toBe(before.roles.demand.keyId);
  });

  it('sign what their public keys verify', async () => {
    const { statement, roles } = await openSiteKeys(folder);

    expect(verify('sha256', bytes, statement.publicKeyPem, await statement.sign(bytes))).toBe(true);
    expect(verify(null, bytes, createPublicKey(roles.sync.publicKeyPem), await roles.sync.sign(bytes))).toBe(true);
  });

  it('sign checkpoints under the origin of the ledger', async () => {
    const { ledgers } = await openSiteKeys(folder, { origins: { public: 'mirror.example' } });
    const key = parseVerifierKey(ledgers.public.verifierKey);
    const text = formatCheckpoint({ origin: 'mirror.example', size: 0, root: new Uint8Array(32), extensions: [] });
    if (key === undefined) throw new Error('no verifier key');

    const signature = await ledgers.public.sign(new TextEncoder().encode(text));

    const note = formatNote({ text, signatures: [{ name: key.name, keyId: key.keyId, signature }] });
    expect(openCheckpoint(note, 'mirror.example', key).size).toBe(0);
    expect(ledgers.private.verifierKey).toMatch(/^[0-9a-f]{16}\.granary\.invalid\+/);
  });

  it('are exported as one file for verifiers, without any private part', async () => {
    const keys = await openSiteKeys(folder);

    const text = exportPublicKey(keys);

    expect(text).not.toContain('PRIVATE');
    expect(text).not.toContain(keys.ledgers.private.verifierKey);
    expect(parseTrustFile(text).statementKeys.map(({ keyId }) => keyId)).toEqual([keys.statement.keyId]);
    expect(parseTrustFile(text).ledgers.map((ledger) => ledger.text)).toEqual([keys.ledgers.public.verifierKey]);
  });
});

describe('opening the keys of a site says what to do', () => {
  beforeEach(async () => {
    await openSiteKeys(folder);
  });
  const path = () => join(folder, 'statement.pem');

  it('when others may read a key', async () => {
    await chmod(path(), 0o644);

    await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'wrong-mode', message: expect.stringContaining(`chmod 600 ${path()}`) });
  });

  it('when others may write to the folder', async () => {
    await chmod(folder, 0o777);

    await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'wrong-mode', message: expect.stringContaining(`chmod 700 ${folder}`) });
  });

  it('when a key is torn, of another kind, or another key', async () => {
    const pem = await readFile(path(), 'utf8');
    for (const text of [pem.slice(0, 60), await readFile(join(folder, 'role-sync.pem'), 'utf8'), 'x'.repeat(20_000)]) {
      await writeFile(path(), text);
      await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('restore it from a backup') });
    }
    const elsewhere = join(root, 'elsewhere');
    await openSiteKeys(elsewhere);
    await writeFile(path(), await readFile(join(elsewhere, 'statement.pem')));

    await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('restore the key that belongs there') });
  });

  it('when a key was lost: none is made in its place', async () => {
    await unlink(path());

    await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'missing', message: expect.stringContaining('backup') });
  });

  it('when a key is no file', async () => {
    await unlink(path());
    await mkdir(path(), { mode: 0o700 });

    await expect(openSiteKeys(folder)).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('when the folder is a file', async () => {
    await expect(openSiteKeys(join(folder, 'keys.json'))).rejects.toMatchObject({ code: 'unwritable' });
  });

  it('when an origin is no bare host name', async () => {
    await expect(openSiteKeys(folder, { origins: { public: 'mirror.example/log' } })).rejects.toMatchObject({ code: 'bad-origin' });
  });
});
