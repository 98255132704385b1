import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { sshFingerprint } from '@granary/core/bundle';
import { z } from 'zod';
import { KeyError } from './key-error.ts';
import { createSecret, openFolder, readSecret, replaceSecret } from './key-folder.ts';
import { pemOf } from './signers.ts';

type KeyAlgorithm = 'ecdsa-p256' | 'ed25519';
export interface WantedKey<Name extends string> {
  readonly name: Name;
  readonly algorithm: KeyAlgorithm;
}
export type KeyRing<Name extends string> = (name: Name) => KeyObject;

/** Written once every key is made: from then on a missing or another key is an error, never a reason to make one. */
const LIST = 'keys.json';
const List = z.object({ format: z.literal(1), keys: z.record(z.string(), z.string()) });

/**
 * Loads the named keys, or makes those that no list of keys knows yet. A run that dies while it makes them is continued by the next;
 * of two runs at once, one makes each key and both load it.
 */
export async function openKeyRing<Name extends string>(folder: string, wanted: readonly WantedKey<Name>[]): Promise<KeyRing<Name>> {
  await openFolder(folder);
  const known = await readList(folder);
  const keys = new Map<Name, KeyObject>();
  for (const { name, algorithm } of wanted) keys.set(name, await openKey(folder, name, algorithm, known.get(name)));
  const complete = [...keys].map(([name, key]) => [name, idOf(key)] as const);
  if (complete.some(([name]) => !known.has(name))) {
    const list = { format: 1, keys: Object.fromEntries([...known, ...complete]) };
    await replaceSecret(folder, LIST, `${JSON.stringify(list, undefined, 2)}\n`);
  }
  return (name) => {
    const key = keys.get(name);
    if (key === undefined) throw new KeyError('missing', `key ${name}: was not asked for when the folder was opened`);
    return key;
  };
}

async function openKey(folder: string, name: string, algorithm: KeyAlgorithm, knownId: string | undefined): Promise<KeyObject> {
  const file = `${name}.pem`;
  const path = join(folder, file);
  const found = await readSecret(folder, file);
  if (found === undefined && knownId !== undefined) {
    throw new KeyError(
      'missing',
      `key ${path}: not there, but this site signed with it (${knownId}); restore it from a backup, or retire it and make a new one`,
    );
  }
  if (found === undefined) {
    await createSecret(folder, file, generate(algorithm));
    return parseKey(path, algorithm, (await readSecret(folder, file)) ?? '');
  }
  const key = parseKey(path, algorithm, found);
  if (knownId !== undefined && idOf(key) !== knownId) {
    throw new KeyError('corrupt', `key ${path}: is ${idOf(key)}, but ${join(folder, LIST)} names ${knownId}; restore the key that belongs there from a backup`);
  }
  return key;
}

/** Whether a ring was made in this folder. Makes nothing. */
export async function hasKeyRing(folder: string): Promise<boolean> {
  return (await readSecret(folder, LIST)) !== undefined;
}

async function readList(folder: string): Promise<ReadonlyMap<string, string>> {
  const text = await readSecret(folder, LIST);
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(List.parse(JSON.parse(text)).keys));
  } catch (cause) {
    throw new KeyError('corrupt', `keys ${join(folder, LIST)}: not a list of keys of format 1; restore it from a backup`, { cause });
  }
}

function parseKey(path: string, algorithm: KeyAlgorithm, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    const isWanted = algorithm === 'ed25519' ? key.asymmetricKeyType === 'ed25519' : key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    if (isWanted) return key;
  } catch (cause) {
    throw new KeyError('corrupt', `key ${path}: not a private key in PEM; restore it from a backup`, { cause });
  }
  throw new KeyError('corrupt', `key ${path}: expected a key of the kind ${algorithm}; restore it from a backup`);
}

function generate(algorithm: KeyAlgorithm): string {
  const { privateKey } = algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function idOf(key: KeyObject): string {
  return sshFingerprint(pemOf(key));
}
