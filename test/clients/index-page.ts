import { z } from 'zod';

const Page = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string(), yanked: z.union([z.boolean(), z.string()]) })) });
export type IndexFile = z.output<typeof Page>['files'][number];

/** What an index lists of a project (PEP 691), with absolute addresses; nothing when it has no such project. */
export async function readIndexPage(index: string, project: string): Promise<readonly IndexFile[]> {
  const address = `${index}${project}/`;
  const response = await fetch(address, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } });
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return Page.parse(await response.json()).files.map((file) => ({ ...file, url: new URL(file.url, address).href }));
}
