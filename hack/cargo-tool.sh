#!/usr/bin/env bash
# A cargo subcommand at a pinned version: hack/cargo-tool.sh <crate> <version>. Prints the path of its
# binary; what is in PATH comes first where it is that version, else it is built once, into the cache
# outside the tree (about two minutes on two cores).
set -euo pipefail

crate=$1 version=$2
# shellcheck disable=SC2034 # read by lib/common.sh
program=cargo-tool
# shellcheck source=hack/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck disable=SC2154 # that sets it
root=$cache/tools/$crate-$version

# cargo-deny says its version as `cargo-deny --version`, cargo-cyclonedx as `cargo-cyclonedx cyclonedx --version`.
for given in --version "${crate#cargo-} --version"; do
    # shellcheck disable=SC2086
    if [[ $("$crate" $given 2>/dev/null) == "$crate"*" $version" ]]; then
        command -v "$crate"
        exit 0
    fi
done
if [[ ! -x $root/bin/$crate ]]; then
    say "$crate $version is built once, into $root"
    begin=$SECONDS
    env -u CARGO_TARGET_DIR -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
        cargo install --quiet --locked --version "$version" --root "$root" "$crate" >&2
    say "built in $((SECONDS - begin)) s"
fi
printf '%s\n' "$root/bin/$crate"
