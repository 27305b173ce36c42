#!/usr/bin/env bash
# The binaries of a real Kubernetes control plane (kube-apiserver, etcd) and kubectl, for the
# tests and the demo. Prints the directory that holds them as its last line on stdout;
# everything else goes to stderr:
#
#   export KUBEBUILDER_ASSETS="$(hack/control-plane.sh)"
#
#   hack/control-plane.sh          finds them, or builds them once (a few minutes on two cores)
#   hack/control-plane.sh --find   finds them, or fails at once and builds nothing
#
#   KUBERNETES_VERSION=1.33        another of the pinned versions (1.33, 1.33.13, ...) than the newest
#
# KUBEBUILDER_ASSETS, as setup-envtest sets it, comes first, unless a version is asked for. Otherwise
# they are built from the Go modules in hack/controlplane, pinned by version and checksum, into a
# cache outside the tree, one directory a version:
# ${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-~/.cache}/dws-operator}/control-plane/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=$here/controlplane

say() { printf 'control-plane: %s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

find_only=false
case ${1:-} in
    '') ;;
    --find) find_only=true ;;
    *) die "unknown argument '$1': none builds where needed, --find only looks" ;;
esac

# --- given by the user -----------------------------------------------------------------------
wanted=${KUBERNETES_VERSION:-}
wanted=${wanted#v}
if [[ -n ${KUBEBUILDER_ASSETS:-} && -z $wanted ]]; then
    for binary in kube-apiserver etcd; do
        [[ -x $KUBEBUILDER_ASSETS/$binary ]] || die "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which has no executable" \
            "'$binary'. Point it at a directory with kube-apiserver and etcd (setup-envtest use -p path), or unset it" \
            "and run 'make control-plane', which builds them."
    done
    printf '%s\n' "$KUBEBUILDER_ASSETS"
    exit 0
fi

# --- where they are cached -------------------------------------------------------------------
pinned() { # <module directory> <module path>: the version its go.mod requires
    awk -v path="$2" '$1 == "require" { $0 = substr($0, index($0, $2)) } $1 == path { print $2; exit }' "$modules/$1/go.mod"
}
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

# The module that pins the version asked for: `kubernetes` is the newest, `kubernetes-<minor>` others.
module='' known=()
for directory in "$modules"/kubernetes "$modules"/kubernetes-*; do
    [[ -f $directory/go.mod ]] || continue
    found=$(pinned "${directory##*/}" k8s.io/kubernetes)
    known+=("${found#v}")
    if [[ -z $module && ($found == "v$wanted" || $found == "v$wanted".* || -z $wanted) ]]; then
        module=${directory##*/}
    fi
done
[[ -n $module ]] || die "KUBERNETES_VERSION is $wanted, which hack/controlplane does not pin: write one of ${known[*]}," \
    "or unset it for the newest"
kubernetes=$(pinned "$module" k8s.io/kubernetes)
etcd=$(pinned etcd go.etcd.io/etcd/server/v3)
[[ -n $kubernetes && -n $etcd ]] || die "hack/controlplane names no version of k8s.io/kubernetes or of etcd"

os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
esac
# What is built is decided by the modules and by how we build them, so both name the cache.
recipe=1 # raise it when the build flags below change
hash=$({ echo "$recipe" && cat "$modules"/{"$module",etcd}/go.{mod,sum}; } | sha256 | cut -c1-12)
root=${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dws-operator}/control-plane
assets=$root/$kubernetes-$os-$arch-$hash

if [[ -d $assets ]]; then
    printf '%s\n' "$assets"
    exit 0
fi
if $find_only; then
    die "no kube-apiserver and etcd in $assets: run 'make control-plane' (it builds them once), or set KUBEBUILDER_ASSETS"
fi

# --- build -----------------------------------------------------------------------------------
command -v go >/dev/null || die "Go 1.26 or later is needed to build kube-apiserver and etcd:" \
    "install it from https://go.dev/dl/, or set KUBEBUILDER_ASSETS to a directory that holds both"

mkdir -p "$root"
lock=$root/.lock
temporary=$root/.build-$$
compiler=''
locked=false

clean() {
    if [[ -n $compiler ]]; then kill "$compiler" 2>/dev/null || true; fi
    rm -rf "$temporary"
    if $locked; then rm -rf "$lock"; fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# One build at a time. A lock whose owner died is taken over. Should two ever get in together,
# each still builds into a directory of its own and the last step is a rename.
waiting=0
until mkdir "$lock" 2>/dev/null; do
    if [[ -d $assets ]]; then
        printf '%s\n' "$assets"
        exit 0
    fi
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
        mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
        continue
    fi
    # A lock without an owner is one that died between two commands; it is given a minute.
    if [[ -z $owner ]] && ((waiting >= 60)); then
        mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
        continue
    fi
    if ((waiting % 15 == 0)); then say "another build is running (process ${owner:-unknown}), waiting: $waiting s"; fi
    sleep 1
    waiting=$((waiting + 1))
done
locked=true
echo $$ >"$lock/pid"
if [[ -d $assets ]]; then # it was finished while we waited
    printf '%s\n' "$assets"
    exit 0
fi
sweep() { # what killed builds left; their compiler may have outlived them for a while
    local left
    for left in "$root"/.build-*; do
        if [[ -d $left ]] && ! kill -0 "${left##*-}" 2>/dev/null; then rm -rf "$left"; fi
    done
}
sweep
mkdir -p "$temporary/bin"

started=$SECONDS
progress() { # <what> <seconds>, while it builds
    if [[ -t 2 ]]; then
        printf '\rcontrol-plane: building %s: %d s ' "$1" "$2" >&2
    elif (($2 % 15 == 0 && $2 > 0)); then
        say "building $1: $2 s"
    fi
}
build() { # <n of m> <name> <module directory> <package> <linker flags>
    local label="$1 $2" begin=$SECONDS now last=-1
    say "building $label (version $6)"
    (
        cd "$modules/$3"
        # Nothing of the caller's Go settings may change what is built or turn it into a cross build.
        unset GOFLAGS GOOS GOARCH GOWORK
        export CGO_ENABLED=0
        exec go build -trimpath -buildvcs=false -ldflags "-s -w $5" -o "$temporary/bin/$2" "$4"
    ) >"$temporary/log" 2>&1 </dev/null &
    compiler=$!
    while kill -0 "$compiler" 2>/dev/null; do
        now=$((SECONDS - begin))
        if ((now != last)); then
            progress "$label" "$now"
            last=$now
        fi
        sleep 0.2
    done
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    if ! wait "$compiler"; then
        compiler=''
        tail -n 20 "$temporary/log" >&2
        die "building $2 failed (above: the end of what Go said). The Go module proxy must be reachable the first time;" \
            "see 'go env GOPROXY'. Or set KUBEBUILDER_ASSETS to a directory that holds kube-apiserver and etcd."
    fi
    compiler=''
    say "built $label in $((SECONDS - begin)) s"
}

# Without these the server calls itself v0.0.0-master and clients that look at the version misbehave.
version=${kubernetes#v}
minor=${version#*.}
flags=''
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=${version%%.*} -X $package.gitMinor=${minor%%.*}"
done

say "kube-apiserver, etcd and kubectl are built once, into $assets"
build '1 of 3:' etcd etcd go.etcd.io/etcd/server/v3 '' "$etcd"
build '2 of 3:' kube-apiserver "$module" k8s.io/kubernetes/cmd/kube-apiserver "$flags" "$kubernetes"
build '3 of 3:' kubectl "$module" k8s.io/kubernetes/cmd/kubectl "$flags" "$kubernetes"

if [[ ! -d $assets ]]; then mv "$temporary/bin" "$assets" || die "cannot write $assets"; fi
sweep
say "done in $((SECONDS - started)) s"
printf '%s\n' "$assets"
