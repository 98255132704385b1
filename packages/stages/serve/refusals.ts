import type { HttpResponse } from '@granary/contract/ports';
import { type Purl, releaseOf } from '@granary/core/model';
import { lineAnswer } from './answers.ts';
import type { HeldFile } from './holding.ts';
import { labelOf } from './holding.ts';
import type { View } from './view.ts';

/** Why a client doesn't get what it asked for, in one line that says where to read on. */
export interface Refusals {
  quarantined(purl: Purl, reason: string): HttpResponse;
  policy(file: HeldFile, why: string): HttpResponse;
  /** Of a package, no file meets the policy. */
  nothingMeets(what: { readonly packagePurl: Purl; readonly files: number; readonly why: string }): HttpResponse;
  /** The file exists, but not at the moment of the view. */
  notThen(file: HeldFile, view: View & { readonly type: 'as-of' }): HttpResponse;
  notHeld(what: { readonly packages: readonly Purl[]; readonly asked: string }): HttpResponse;
  noCompanion(file: HeldFile, companion: string): HttpResponse;
  future(view: View & { readonly type: 'as-of' }, why: string): HttpResponse;
}

export function refusals(publicUrl: string): Refusals {
  const see = (purl: Purl) => `see ${publicUrl}/releases/${encodeURIComponent(releaseOf(purl) ?? purl)}`;
  return {
    quarantined: (purl, reason) => lineAnswer(403, `Granary quarantined ${labelOf(purl)}: ${reason.slice(0, 200)}, ${see(purl)}`),
    policy: (file, why) => lineAnswer(403, `Granary policy verified refuses ${labelOf(file.purl)} ${file.fileName}: ${why}, ${see(file.purl)}`),
    nothingMeets: ({ packagePurl, files, why }) =>
      lineAnswer(403, `Granary policy verified refuses all ${files} files of ${labelOf(packagePurl)} that are held: ${why}, see ${publicUrl}/`),
    notThen: (file, view) =>
      lineAnswer(403, `Granary as-of ${view.time} has no ${labelOf(file.purl)} ${file.fileName}: it was not there then, ${see(file.purl)}`),
    noCompanion: (file, companion) => lineAnswer(404, `Granary holds no ${companion} of ${labelOf(file.purl)} ${file.fileName}, ${see(file.purl)}`),
    future: (view, why) => lineAnswer(400, `Granary as-of ${view.time}${view.size === undefined ? '' : `@${view.size}`}: ${why}`),
    notHeld({ packages, asked }) {
      const [purl] = packages;
      if (purl === undefined) return lineAnswer(404, `Granary holds nothing at ${asked.slice(0, 200)}, see ${publicUrl}/`);
      return lineAnswer(
        404,
        `Granary does not hold ${labelOf(purl)}${asked === '' ? '' : ` ${asked.slice(0, 200)}`}: ask for it with granary watch request "${purl}", see ${publicUrl}/`,
      );
    },
  };
}
