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

program=control-plane
remedy="Or set KUBEBUILDER_ASSETS to a directory that holds kube-apiserver and etcd."
# shellcheck source=hack/lib/go-build.sh
source "$here/lib/go-build.sh"

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
# The module that pins the version asked for: `kubernetes` is the newest, `kubernetes-<minor>` others.
module='' known=()
for directory in "$modules"/kubernetes "$modules"/kubernetes-*; do
    [[ -f $directory/go.mod ]] || continue
    found=$(pinned "$directory" k8s.io/kubernetes)
    known+=("${found#v}")
    if [[ -z $module && ($found == "v$wanted" || $found == "v$wanted".* || -z $wanted) ]]; then
        module=${directory##*/}
    fi
done
[[ -n $module ]] || die "KUBERNETES_VERSION is $wanted, which hack/controlplane does not pin: write one of ${known[*]}," \
    "or unset it for the newest"
kubernetes=$(pinned "$modules/$module" k8s.io/kubernetes)
etcd=$(pinned "$modules/etcd" go.etcd.io/etcd/server/v3)
[[ -n $kubernetes && -n $etcd ]] || die "hack/controlplane names no version of k8s.io/kubernetes or of etcd"

# What is built is decided by the modules and by how we build them, so both name the cache.
hash=$({ echo "$recipe" && cat "$modules"/{"$module",etcd}/go.{mod,sum}; } | sha256 | cut -c1-12)
root=$cache/control-plane
assets=$root/$kubernetes-$(platform)-$hash

answer() { printf '%s\n' "$assets"; }
if [[ -d $assets ]]; then
    answer
    exit 0
fi
if $find_only; then
    die "no kube-apiserver and etcd in $assets: run 'make control-plane' (it builds them once), or set KUBEBUILDER_ASSETS"
fi

# --- build -----------------------------------------------------------------------------------
go_build_begin "$root" "$assets"
flags=$(kubernetes_flags "$kubernetes")
say "kube-apiserver, etcd and kubectl are built once, into $assets"
go_build '1 of 3: ' etcd "$modules/etcd" go.etcd.io/etcd/server/v3 '' "$etcd"
go_build '2 of 3: ' kube-apiserver "$modules/$module" k8s.io/kubernetes/cmd/kube-apiserver "$flags" "$kubernetes"
go_build '3 of 3: ' kubectl "$modules/$module" k8s.io/kubernetes/cmd/kubectl "$flags" "$kubernetes"
go_build_end
answer
