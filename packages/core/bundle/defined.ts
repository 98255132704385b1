import type { Json } from '../model/index.ts';

/** Leaves out what is absent: canonical JSON has no form for it. */
export function defined(members: { readonly [name: string]: Json | undefined }): { readonly [name: string]: Json } {
  return Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
