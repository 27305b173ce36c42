#!/usr/bin/env bash
# Programs in Go that we use and do not write (helm, kustomize, ...). Prints the path of the binary
# as its last line on stdout; everything else goes to stderr:
#
#   helm=$(hack/tools.sh helm)
#
#   hack/tools.sh                  names those that there are
#   hack/tools.sh NAME             finds it, or builds it once
#   hack/tools.sh --find NAME      finds it, or fails at once and builds nothing
#
# Each is a module in hack/tools/NAME, pinned by version and checksum, whose `tool` lines say what is
# built. With one line the path of that binary is printed, with several that of the directory that
# holds them. They go into the cache outside the tree:
# ${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-~/.cache}/dws-operator}/tools/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=tools
remedy=''
# shellcheck source=hack/lib/go-build.sh
source "$here/lib/go-build.sh"

known() { (cd "$here/tools" && printf '%s\n' */go.mod | sed 's|/go.mod$||'); }

find_only=false
if [[ ${1:-} == --find ]]; then
    find_only=true
    shift
fi
if (($# == 0)); then
    known
    exit 0
fi
(($# == 1)) || die "one name at a time, not '$*'"
name=$1
module=$here/tools/$name
[[ -f $module/go.mod ]] || die "there is no '$name': one of $(known | paste -sd ' ' -)"

# `tool a`, or a block of them.
packages=()
while read -r package; do packages+=("$package"); done < <(awk '
    $1 == "tool" && $2 == "(" { inside = 1; next }
    inside && $1 == ")" { inside = 0 }
    inside && $1 !~ /^\/\// { print $1 }
    $1 == "tool" && $2 != "(" { print $2 }' "$module/go.mod")
((${#packages[@]} > 0)) || die "$module/go.mod has no 'tool' line"

# The module that a package belongs to is the longest path that is required and begins the package's.
module_of() {
    local path=$1
    while [[ -z $(pinned "$module" "$path") ]]; do
        [[ $path == */* ]] || die "$module/go.mod requires nothing that holds $1"
        path=${path%/*}
    done
    printf '%s\n' "$path"
}

flags_of() { # <module path> <version>: what a program is told about its version, where it does not see it itself
    case $1 in
        helm.sh/helm/v4) printf ' -X %s/internal/version.version=%s' "$1" "$2" ;;
        # It takes Kubernetes for the version of its client library only where the build says so, as its releases do.
        helm.sh/helm/v3)
            printf ' -X %s/internal/version.version=%s' "$1" "$2"
            printf ' -X %s/pkg/chartutil.k8sVersionMajor=1 -X %s/pkg/chartutil.k8sVersionMinor=%s' "$1" "$1" \
                "$(pinned "$module" k8s.io/client-go | cut -d . -f 2)"
            ;;
        github.com/containerd/containerd/v2) printf ' -X github.com/containerd/containerd/v2/version.Version=%s' "$2" ;;
        k8s.io/kubernetes) kubernetes_flags "$2" ;;
    esac
}

binary_of() { # <package>: as `go build` names it, where the last part is no major version
    local last=${1##*/}
    if [[ $last =~ ^v[0-9]+$ ]]; then
        last=${1%/*}
        last=${last##*/}
    fi
    printf '%s\n' "$last"
}

version=$(pinned "$module" "$(module_of "${packages[0]}")")
hash=$({ echo "$recipe" && cat "$module"/go.{mod,sum}; } | sha256 | cut -c1-12)
root=$cache/tools
target=$root/$name-$version-$(platform)-$hash

answer() {
    if ((${#packages[@]} == 1)); then
        printf '%s\n' "$target/$(binary_of "${packages[0]}")"
    else
        printf '%s\n' "$target"
    fi
}
if [[ -d $target ]]; then
    answer
    exit 0
fi
if $find_only; then die "no $name in $target: run hack/tools.sh $name, which builds it once"; fi

go_build_begin "$root" "$target"
say "$name is built once, into $target"
count=0
for package in "${packages[@]}"; do
    path=$(module_of "$package")
    version=$(pinned "$module" "$path")
    count=$((count + 1))
    go_build "$count of ${#packages[@]}: " "$(binary_of "$package")" "$module" "$package" "$(flags_of "$path" "$version")" "$version"
done
go_build_end
answer
