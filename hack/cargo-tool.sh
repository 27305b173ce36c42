#!/usr/bin/env bash
# A cargo subcommand at a pinned version: hack/cargo-tool.sh <crate> <version>. Prints the path of its
# binary; what is in PATH comes first where it is that version, else it is built once, into the cache
# outside the tree (about two minutes on two cores).
set -euo pipefail

crate=$1 version=$2
root=${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dws-operator}/tools/$crate-$version

# cargo-deny says its version as `cargo-deny --version`, cargo-cyclonedx as `cargo-cyclonedx cyclonedx --version`.
for given in --version "${crate#cargo-} --version"; do
    # shellcheck disable=SC2086
    if [[ $("$crate" $given 2>/dev/null) == "$crate"*" $version" ]]; then
        command -v "$crate"
        exit 0
    fi
done
if [[ ! -x $root/bin/$crate ]]; then
    echo "$crate $version is built once, into $root" >&2
    begin=$SECONDS
    env -u CARGO_TARGET_DIR -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo install --quiet --locked --version "$version" --root "$root" "$crate" >&2
    echo "built in $((SECONDS - begin)) s" >&2
fi
printf '%s\n' "$root/bin/$crate"
