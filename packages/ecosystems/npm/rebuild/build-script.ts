import { UNPACK_NPM } from '../installing/toolset.ts';
import { COMPRESS_FILE } from './compress-script.ts';

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
export PATH="/tmp/bin:$PATH"
OURS=$PATH

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

carry() {
  if [ -n "$2" ]; then npm install --prefix "$1" --ignore-scripts --no-save "$2"; fi
}

# From here on everything is run by the Node, the npm and the package manager that were carried in, where some were.
use_carried() {
  PATH="/work/npm/node_modules/.bin:/work/node/node_modules/$NODE_PACKAGE/bin:/work/tool/node_modules/.bin:$OURS"
}

fetch() {
  unpack
  carry /work/tool "$TOOL"
  carry /work/node "$NODE"
  carry /work/npm "$NPM"
  carry /work/zlib "$ZLIB"
  use_carried
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

# Until npm 7, it packs into the folder that it is in.
pack_by_npm() {
  touch /work/packing
  npm pack --no-workspaces "$@" --pack-destination=/work/out
  if [ -z "$(find /work/out -name '*.tgz')" ]; then find . -maxdepth 1 -name '*.tgz' -newer /work/packing -exec mv -- '{}' /work/out/ ';'; fi
}

pack() {
  case "$PACKER" in
    npm) pack_by_npm "$@" ;;
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
  use_carried
  cd -- "$TREE/$PROJECT"
  for script in $PROJECT_SCRIPTS; do npm run "$script"; done
  cd -- "$TREE/$DIRECTORY"
  if [ -n "$VERSION" ]; then (PATH=$OURS; npm pkg set --no-workspaces "version=$VERSION"); fi
  for script in $SCRIPTS; do npm run "$script"; done
  if [ "$PACK_SCRIPTS" = yes ]; then pack; else without_scripts; fi
  if [ -n "$ZLIB" ]; then "/work/zlib/node_modules/$NODE_PACKAGE/bin/node" /work/${COMPRESS_FILE} "$LEVEL" "$SYSTEM" /work/out/*.tgz; fi
}

"$1"
`;
