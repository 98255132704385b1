/** Does a folder match a pattern of `workspace.members`: `*` and `?` within a segment, `**` for any of them (the Cargo book, workspaces)? Untrusted. */
export function matchesMember(pattern: string, folder: string): boolean {
  return matches(
    pattern.split('/').filter((segment) => segment !== '' && segment !== '.'),
    folder.split('/'),
  );
}

/** Only one `**` counts: two of them cost more than they say. */
function matches(pattern: readonly string[], folder: readonly string[]): boolean {
  const at = pattern.indexOf('**');
  if (at === -1) return pattern.length === folder.length && pattern.every((segment, index) => matchesSegment(segment, folder[index] ?? ''));
  const [head, tail] = [pattern.slice(0, at), pattern.slice(at + 1)];
  if (tail.includes('**') || folder.length < head.length + tail.length) return false;
  return matches(head, folder.slice(0, head.length)) && (tail.length === 0 || matches(tail, folder.slice(-tail.length)));
}

/** In steps of at most the product of both lengths: a backtracking expression would take their power. */
function matchesSegment(pattern: string, name: string): boolean {
  let [at, to, star, tried] = [0, 0, -1, 0];
  while (to < name.length) {
    if (pattern[at] === '*') [star, tried, at] = [at, to, at + 1];
    else if (pattern[at] === '?' || (at < pattern.length && pattern[at] === name[to])) [at, to] = [at + 1, to + 1];
    else if (star !== -1) [at, tried, to] = [star + 1, tried + 1, tried + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
