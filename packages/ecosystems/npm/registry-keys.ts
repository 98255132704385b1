import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Checked, Held } from '@granary/contract/ecosystem';
import { formatPurl, type Instant, type Purl, parseInstant, sha256 } from '@granary/core/model';
import { z } from 'zod';

/** Path below a registry at which it tells its keys; ours as well. */
export const KEYS_PATH = '-/npm/v1/keys';
export const MAX_KEYS_BYTES = 256 * 2 ** 10;
/** No package can have this name. */
const KEYS_PURL: Purl = formatPurl({ type: 'npm', name: KEYS_PATH });

const Key = z.looseObject({ keyid: z.string().max(256), keytype: z.string().max(64), key: z.string().max(4096), expires: z.string().max(64).nullish() });
const KeysDocument = z.object({ keys: z.array(Key).max(64) });
export interface RegistryKey {
  readonly key: KeyObject;
  readonly expires: Instant | undefined;
}

/** By key id; undefined when the document can't be read. Keys of other kinds are left out. */
export function parseKeys(bytes: Uint8Array): ReadonlyMap<string, RegistryKey> | undefined {
  return toKeys(readDocument(bytes));
}

/** The keys change over time: each document is kept for itself. */
export function keysFile(bytes: Uint8Array): NonNullable<Checked['beside']>[number] {
  const digest = sha256(bytes);
  return { purl: formatPurl({ type: 'npm', name: KEYS_PATH, version: digest, fileName: 'keys.json' }), path: `${KEYS_PATH}/${digest}`, bytes };
}

/** The keys that upstream ever told. */
export async function keptKeys(held: Held): Promise<ReadonlyMap<string, RegistryKey>> {
  return toKeys(await keptDocument(held)) ?? new Map();
}

/** One document of all keys that upstream ever told, as it last told each: what was published long ago is signed by keys that ended. */
export async function renderKeys(held: Held): Promise<Uint8Array | undefined> {
  const document = await keptDocument(held);
  return document === undefined ? undefined : new TextEncoder().encode(JSON.stringify(document));
}

type KeysDocument = z.output<typeof KeysDocument>;

async function keptDocument(held: Held): Promise<KeysDocument | undefined> {
  const keys = new Map<string, KeysDocument['keys'][number]>();
  for (const { sha256: digest } of held.files(KEYS_PURL)) {
    const bytes = await held.read(digest, MAX_KEYS_BYTES);
    for (const key of readDocument(bytes)?.keys ?? []) keys.set(key.keyid, key);
  }
  return keys.size === 0 ? undefined : { keys: [...keys.values()] };
}

function readDocument(bytes: Uint8Array | undefined): KeysDocument | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return KeysDocument.safeParse(value).data;
  } catch {
    return undefined;
  }
}

function toKeys(document: KeysDocument | undefined): ReadonlyMap<string, RegistryKey> | undefined {
  if (document === undefined) return undefined;
  return new Map(
    document.keys.flatMap(({ keyid, keytype, key, expires }) => {
      const parsed = keytype === 'ecdsa-sha2-nistp256' ? parseKey(key) : undefined;
      return parsed === undefined ? [] : [[keyid, { key: parsed, expires: parseInstant(expires ?? '') }] as const];
    }),
  );
}

function parseKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
