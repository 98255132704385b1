import { UNPACK_NPM } from '../installing/toolset.ts';

/** Where the sandbox puts the script. */
export const SCRIPT_FILE = 'build.sh';
/** The last line of the log that a `fetch` leaves which came to its end. */
export const INSTALLED = 'everything is installed';

/**
 * The program that runs in the sandbox, as `fetch` and then as `build`: the first installs from the mirror and runs nothing of what it installs, the second runs scripts and packs, without
 * a network. Everything that somebody else chose comes in the environment, quoted wherever it is used.
 */
export const BUILD_SCRIPT = String.raw`set -eu
TREE=/work/tree
${UNPACK_NPM}
export PATH="/work/tool/node_modules/.bin:/tmp/bin:$PATH"

unpack() {
  mkdir -p "$TREE" "$HOME" /work/out
  tar --extract --file="/work/source/$SOURCE" --directory="$TREE" --no-same-owner
}

# yarn 1 asks the host that a lock names, whatever registry is set: the lock names the mirror while it installs.
yarn_1() {
  cp yarn.lock /work/yarn.lock.kept
  sed -E -i -e "s#https?://[^\"]*/(@[^/\"]+/[^/\"]+/-/)#$REGISTRY\1#" -e "\#/@[^/\"]+/[^/\"]+/-/#!s#https?://[^\"]*/([^/\"]+/-/)#$REGISTRY\1#" yarn.lock
  yarn install --frozen-lockfile --ignore-scripts --non-interactive --no-progress
  mv /work/yarn.lock.kept yarn.lock
}

fetch() {
  unpack
  if [ -n "$TOOL" ]; then npm install --prefix /work/tool --ignore-scripts --no-save "$TOOL"; fi
  cd -- "$TREE/$PROJECT"
  case "$MANAGER" in
    npm) npm ci --ignore-scripts ;;
    npm-install) npm install --ignore-scripts --no-package-lock --no-save ;;
    pnpm) pnpm install --frozen-lockfile --ignore-scripts ;;
    yarn-1) yarn_1 ;;
    yarn) yarn install --immutable --mode=skip-build ;;
  esac
  echo '${INSTALLED}'
}

pack() {
  case "$PACKER" in
    npm) npm pack --no-workspaces "$@" --pack-destination=/work/out ;;
    pnpm) pnpm pack --pack-destination /work/out ;;
    yarn) yarn pack --out /work/out/package.tgz ;;
  esac
}

without_scripts() {
  export npm_config_ignore_scripts=true pnpm_config_ignore_scripts=true
  pack --ignore-scripts
}

build() {
  if [ ! -d "$TREE" ]; then unpack; fi
  cd -- "$TREE/$PROJECT"
  for script in $PROJECT_SCRIPTS; do npm run "$script"; done
  cd -- "$TREE/$DIRECTORY"
  if [ -n "$VERSION" ]; then npm pkg set --no-workspaces "version=$VERSION"; fi
  for script in $SCRIPTS; do npm run "$script"; done
  if [ "$PACK_SCRIPTS" = yes ]; then pack; else without_scripts; fi
}

"$1"
`;
