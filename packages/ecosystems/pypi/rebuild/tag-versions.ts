import { explain } from '@renovatebot/pep440';

/** As tools write it into file names (PEP 440, Normalization), without zeros before numbers; undefined for what is no version. */
export function normalVersion(version: string): string | undefined {
  const read = explain(version);
  if (read === null) return undefined;
  return read.local === null ? read.public : `${read.public}+${read.local}`;
}

/**
 * A version (PEP 440) as tags spell it, the usual form first; separators are anyone's, as tags are matched. Without an epoch too, as those come when a scheme changes; dates
 * with a zero before single digits; a part `.0` more or less, though never as one number alone, which is what a tag that moves is called.
 */
export function tagVersions(version: string): readonly string[] {
  const read = explain(version);
  if (read === null) return [version];
  const { epoch, release, pre, post, dev, local } = read;
  const suffixes = suffixesOf({ pre, post: numberOf(post), dev: numberOf(dev) }).map((suffix) => (local === null ? suffix : `${suffix}+${local}`));
  const bases = basesOf(release).flatMap((base) => (epoch === 0 ? [base] : [`${epoch}!${base}`, base]));
  return [...new Set([version, ...bases.flatMap((base) => suffixes.map((suffix) => `${base}${suffix}`))])];
}

function basesOf(release: readonly number[]): readonly string[] {
  const plain = release.join('.');
  const [first = 0, ...rest] = release;
  const padded = [first, ...rest.map((part) => String(part).padStart(2, '0'))].join('.');
  const shorter = release.length > 2 && release.at(-1) === 0 ? [release.slice(0, -1).join('.')] : [];
  const longer = release.length === 2 ? [`${plain}.0`] : [];
  // No date has a year before 2000, in full or as two digits.
  return [plain, ...(first >= 10 ? [padded] : []), ...shorter, ...longer];
}

interface Suffix {
  readonly pre: readonly (string | number)[] | null;
  readonly post: string | undefined;
  readonly dev: string | undefined;
}
const LONG_PRE: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', rc: 'rc' };

function suffixesOf({ pre, post, dev }: Suffix): readonly string[] {
  const posts = post === undefined ? [''] : [`.post${post}`, `-${post}`, `post${post}`];
  const devs = dev === undefined ? [''] : [`.dev${dev}`, `dev${dev}`];
  return presOf(pre).flatMap((one) => posts.flatMap((two) => devs.map((three) => `${one}${two}${three}`)));
}

/** Declared as the word and the number, and given as the number. */
function numberOf(part: number | readonly (string | number)[] | null): string | undefined {
  return part === null ? undefined : String(typeof part === 'number' ? part : part.at(-1));
}

function presOf(pre: Suffix['pre']): readonly string[] {
  if (pre === null) return [''];
  const [letter = '', number = ''] = pre.map(String);
  const long = LONG_PRE[letter] ?? letter;
  return [...new Set([`${letter}${number}`, `-${letter}${number}`, `-${long}${number}`, `-${long}.${number}`, `${long}${number}`])];
}
