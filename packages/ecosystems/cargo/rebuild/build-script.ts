export const SCRIPT_FILE = 'build.sh';
/** The commit itself, in base64: its message may be of any bytes. */
export const COMMIT_FILE = 'commit.b64';
export const LOCK_FILE = 'published.lock';

/**
 * The program that runs in the sandbox: `fetch` makes a repository of the source and packs it once, so that cargo has the index files that it looks into; `build` packs it without any
 * network. The repository is git's own record of the same tree, without filters, attributes and hooks, and its HEAD is the commit itself: cargo packs what git tracks, and writes down
 * the commit that it finds.
 */
export const BUILD_SCRIPT = String.raw`set -eu
umask 022
work=$(cd "$(dirname "$0")" && pwd)
tree=$work/tree

make_tree() {
  mkdir -p "$HOME" "$tree"
  tar --extract --file "$work/source/$SOURCE" --directory "$tree" --no-same-owner
  cd "$tree"
  if [ "$VERSION_CONTROL" != none ]; then make_repository; fi
  case $LOCK in
    none) rm -f "$ROOT/Cargo.lock" ;;
    published) cp "$work/published.lock" "$ROOT/Cargo.lock" ;;
  esac
}

make_repository() {
  # Of the name that libgit2 expects where there is no commit.
  git init --quiet --template= --initial-branch=master --object-format="$OBJECT_FORMAT" .
  mkdir -p .git/info
  # Above all attributes that stand in the tree: bytes are what the commit has.
  echo '* !text !eol !crlf !filter !ident !working-tree-encoding' > .git/info/attributes
  git add --all --force .
  if [ "$VERSION_CONTROL" = git ]; then set_head; fi
}

set_head() {
  base64 --decode "$work/commit.b64" > "$work/commit"
  made=$(git hash-object --literally -w -t commit --stdin < "$work/commit")
  if [ "$made" != "$COMMIT" ]; then echo "the commit is $made, and not $COMMIT" >&2; exit 65; fi
  if [ "tree $(git write-tree)" = "$(head -n 1 "$work/commit")" ]; then
    echo "$COMMIT" > .git/HEAD
  else
    # Of a submodule the tar has the folder alone, so that this tree is another one than the commit's.
    echo 'the tree has submodules: cargo sees another commit'
    git commit --quiet --no-verify --allow-empty --message 'source'
  fi
}

package() {
  target=$1
  shift
  cd "$tree/$DIRECTORY"
  cargo package --no-verify --allow-dirty --package "$NAME" --target-dir "$target" \
    --config 'source.crates-io.replace-with="granary"' --config "source.granary.registry=\"sparse+$INDEX\"" "$@"
}

case $1 in
  fetch)
    make_tree
    package "$work/fetched" ;;
  build)
    package "$work/target" --offline
    mkdir -p "$work/out"
    cp "$work/target/package/$CRATE" "$work/out/" ;;
esac
`;
