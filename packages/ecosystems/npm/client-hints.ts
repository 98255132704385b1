/** How npm, pnpm and yarn are pointed at a mirror. Tests run what stands between backticks, as it stands. */
export function clientHints(address: string): readonly string[] {
  const registry = `${address}/npm/`;
  const host = URL.parse(address)?.hostname ?? '';
  const isPlain = address.startsWith('http:');
  return [
    `npm   \`npm config set registry ${registry}\`      (or: export npm_config_registry=${registry})`,
    "      npm ci asks the hosts of the lock, unless that is npm's own default registry. For any other: `npm config set replace-registry-host always`",
    `      a lock made here has our addresses; elsewhere: \`npm ci --replace-registry-host ${registry}\``,
    `pnpm  \`pnpm config set --location=user registry ${registry}\`      pnpm-lock.yaml has no addresses`,
    `yarn  4: \`yarn config set --home npmRegistryServer ${registry}\`${isPlain ? ` and, without TLS, \`yarn config set --home unsafeHttpWhitelist --json '["${host}"]'\`` : ''}`,
    `      1: \`yarn config set registry ${registry}\`, which counts for what is added; what yarn.lock names is fetched from the addresses in it. Leave the lock alone:`,
    `      \`${keepYarnLock(registry)}\``,
    `      only what was reproduced: ${address}/verified/npm/`,
  ];
}

/** The lock's own addresses become ours for the length of an install; its digests hold for us as well. */
function keepYarnLock(registry: string): string {
  const scoped = `s#https?://[^"]*/(@[^/"]+/[^/"]+/-/)#${registry}\\1#`;
  const plain = `\\#/@[^/"]+/[^/"]+/-/#!s#https?://[^"]*/([^/"]+/-/)#${registry}\\1#`;
  return `cp yarn.lock yarn.lock.kept && sed -E -i -e '${scoped}' -e '${plain}' yarn.lock && yarn install --frozen-lockfile; installed=$?; mv yarn.lock.kept yarn.lock; (exit $installed)`;
}
