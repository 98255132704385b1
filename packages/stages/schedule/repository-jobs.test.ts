import { memoryCatalog } from '@granary/contract/memory';
import { encodeEntry, type Fact, sha256, toInstant, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { repositoryJobs } from './repository-jobs.ts';

const WATCHED = toPurl('pkg:git/forge.example/owner/watched');
const NAMED = toPurl('pkg:git/forge.example/owner/named');
const BOX = toPurl('pkg:tiny/box@1?file_name=box-1.box');
const BAG = toPurl('pkg:tiny/bag@1?file_name=bag-1.box');

function openCatalog() {
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const store = (subject: string, repository: string) => {
    const body = { sha256: sha256(subject), sizeBytes: 1, path: 'box', evidence: [], source: { repository } };
    add({ kind: 'stored', subject, inputs: [subject], body });
  };
  store(BOX, NAMED);
  store(BAG, 'pkg:tiny/no-repository');
  return { catalog, add };
}
const both = { watched: new Set([WATCHED]), artifacts: [{ purl: BOX }, { purl: BAG }] };

it('mirrors what is watched, and what packages name only where that is wanted, after everything else', () => {
  const { catalog } = openCatalog();

  expect(repositoryJobs(catalog, 'watched', both).map(({ id }) => id)).toEqual([`mirror ${WATCHED}`]);
  expect(repositoryJobs(catalog, 'named-by-packages', both).map(({ id, urgency }) => [id, urgency])).toEqual([
    [`mirror ${NAMED}`, 'whenever'],
    [`mirror ${WATCHED}`, undefined],
  ]);
  expect(repositoryJobs(catalog, 'named-by-packages', { ...both, watched: new Set([NAMED]) })).toMatchObject([{ id: `mirror ${NAMED}` }]);
});

it('leaves what was seen to those who follow upstream', () => {
  const { catalog, add } = openCatalog();
  add({ kind: 'observed', subject: WATCHED, body: { document: sha256('refs'), sizeBytes: 1, mediaType: 'x', url: 'x' } });

  expect(repositoryJobs(catalog, 'watched', both)).toEqual([]);
});

it('mirrors submodules of what is mirrored, after everything else, and circles end', () => {
  const { catalog, add } = openCatalog();
  const [first, second] = [toPurl('pkg:git/forge.example/owner/first'), toPurl('pkg:git/forge.example/owner/second')];
  const see = (subject: string, submodules: readonly string[]) =>
    add({ kind: 'observed', subject, body: { document: sha256('refs'), sizeBytes: 1, mediaType: 'x', url: 'x', outside: { submodules } } });
  see(WATCHED, [first, WATCHED]);
  see(NAMED, [second]);

  expect(repositoryJobs(catalog, 'watched', both)).toMatchObject([{ id: `mirror ${first}`, urgency: 'whenever' }]);
  expect(repositoryJobs(catalog, 'named-by-packages', both).map(({ id, urgency }) => [id, urgency])).toEqual([
    [`mirror ${first}`, 'whenever'],
    [`mirror ${second}`, 'whenever'],
  ]);
  expect(repositoryJobs(catalog, 'watched', { ...both, watched: new Set([WATCHED, first]) }).map(({ id, urgency }) => [id, urgency])).toEqual([
    [`mirror ${first}`, undefined],
  ]);

  see(first, [WATCHED, second, first]);

  expect(repositoryJobs(catalog, 'watched', both)).toMatchObject([{ id: `mirror ${second}`, urgency: 'whenever' }]);
});
