/** Standard output belongs to the command that comes after the set-up (it may be JSON), so all words here go to standard error. */
export function say(text) {
  process.stderr.write(`set-up: ${text}\n`);
}
