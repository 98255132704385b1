/** The configuration can't be used; the message says file, line and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid';
}
