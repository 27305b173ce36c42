#!/usr/bin/env bash
# The program under tests/gitops/witness, which judges objects as Flux and Argo CD do, with their own
# libraries. Prints the path of the binary as its last line on stdout; everything else goes to stderr.
# It is built once, into the cache of hack/tools.sh, and anew when its source or its versions change; without Go
# it exits with 77 and a line that says so.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=$here/../tests/gitops/witness
# shellcheck disable=SC2034 # read by lib/go-build.sh
program=gitops-witness
# shellcheck disable=SC2034
remedy=''
# shellcheck source=hack/lib/go-build.sh
source "$here/lib/go-build.sh"

version=$(pinned "$module" github.com/fluxcd/cli-utils)
# shellcheck disable=SC2154 # lib/go-build.sh sets it
hash=$({ echo "$recipe" && cat "$module"/*.go "$module"/go.{mod,sum}; } | sha256 | cut -c1-12)
root=$cache/tools
target=$root/gitops-witness-$(platform)-$hash
answer() { printf '%s\n' "$target/gitops-witness"; }
if [[ ! -d $target ]]; then
    if ! command -v go >/dev/null; then
        echo "skipped: what Flux and Argo CD make of the resources, since the program that judges as they do is not" \
            "built and Go, which builds it, is missing" >&2
        exit 77
    fi
    go_build_begin "$root" "$target"
    go_build '' gitops-witness "$module" . '' "kstatus $version"
    go_build_end
fi
answer
