import type { Discovery } from '@granary/contract/ecosystem';
import { cargoCredentials } from './credentials.ts';

/**
 * cargo has no command that prints its index, but says where it would have asked when it can't: so it is made to ask through a proxy that isn't
 * there, for a project of one dependency, with the user's settings and an empty cache.
 */
const ASK_CARGO = `
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/ask/src" "$folder/home"
for settings in config config.toml; do
  [ -f "\${CARGO_HOME:-$HOME/.cargo}/$settings" ] && cp "\${CARGO_HOME:-$HOME/.cargo}/$settings" "$folder/home/"
done
: > "$folder/ask/src/lib.rs"
printf '[package]\\nname = "ask"\\nversion = "0.0.0"\\n[dependencies]\\na = "*"\\n[workspace]\\n' > "$folder/ask/Cargo.toml"
unset NO_PROXY no_proxy
export CARGO_HOME="$folder/home" CARGO_HTTP_PROXY=http://127.0.0.1:1 CARGO_NET_RETRY=0 CARGO_NET_OFFLINE=false CARGO_TERM_COLOR=never
cargo generate-lockfile --manifest-path "$folder/ask/Cargo.toml" 2>&1
exit 0
`;

/** A sparse index is told by its `config.json`; git registries, vendored folders and older cargos name none. */
export const cargoDiscovery: Discovery = {
  argv: ['sh', '-c', ASK_CARGO],
  parse(output) {
    const [, index] = /(https?:\/\/[^\s`'"]+\/)config\.json\b/.exec(output) ?? [];
    return index === undefined || URL.parse(index) === null ? undefined : { index, files: [] };
  },
  credentials: cargoCredentials,
};
