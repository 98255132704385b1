/** `url.<base>.insteadOf` of git's configuration (git-config(1)). */
export interface UrlRule {
  readonly base: string;
  readonly insteadOf: string;
}

/** The address that git would use in place of `url`: the longest `insteadOf` that it begins with gives way to its base; of equals the first. */
export function rewriteUrl(url: string, rules: readonly UrlRule[]): string {
  let longest: UrlRule | undefined;
  for (const rule of rules) {
    if (url.startsWith(rule.insteadOf) && (longest === undefined || rule.insteadOf.length > longest.insteadOf.length)) longest = rule;
  }
  return longest === undefined ? url : longest.base + url.slice(longest.insteadOf.length);
}
