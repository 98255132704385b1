import { type Purl, toPurl } from '../model/index.ts';

/** A ref of a repository, as a subject of facts: its name is the subpath. */
export function refPurl(repository: Purl, ref: string): Purl {
  return toPurl(`${repository}#${ref.split('/').map(encodeURIComponent).join('/')}`);
}
