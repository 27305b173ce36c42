#!/usr/bin/env bash
# Starts a real Kubernetes of one node on this machine: API server, etcd, controller manager,
# scheduler, kubelet, containerd, kube-proxy and DNS, in namespaces and a cgroup of their own. Prints
# its KUBECONFIG as the last line on stdout; everything else goes to stderr. hack/node-down.sh takes
# all of it away.
#
#   export KUBECONFIG="$(hack/node-up.sh)"
#   hack/node-up.sh --check          only says whether this machine can, and which packages it would install
#   hack/node-up.sh --for PID        a node that goes with that process: once it has ended, hack/node-down.sh
#                                    --of PID takes the node down, and the next node-up.sh does
#   hack/node-up.sh IMAGE.tar...     brings these images in as well
#
# Exit code 77: this machine cannot run a node; each reason is said. What it runs is built from pinned
# Go modules (hack/tools.sh, hack/control-plane.sh), once; runc and nftables come from the machine's
# packages. Images can be brought in later too, with what `env` beside the KUBECONFIG names:
#
#   ctr -a $socket -n k8s.io images import IMAGE.tar
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program='node-up'
# shellcheck source=hack/lib/go-build.sh
source "$here/lib/go-build.sh"
# shellcheck source=hack/node/lib.sh
source "$here/node/lib.sh"
# shellcheck source=hack/node/checks.sh
source "$here/node/checks.sh"
# shellcheck source=hack/node/network.sh
source "$here/node/network.sh"
# shellcheck source=hack/node/certificates.sh
source "$here/node/certificates.sh"
# shellcheck source=hack/node/configuration.sh
source "$here/node/configuration.sh"
# shellcheck source=hack/node/images.sh
source "$here/node/images.sh"

# Whatever ends this, nothing is left of what was begun.
made='' interrupted=false owner=''
undo() {
    local status=$?
    set +e # a word that nobody can read any more, say, is no reason to leave the node
    trap '' INT TERM HUP PIPE
    remove_probes
    [[ -n $made ]] || exit "$status"
    if ! $interrupted; then
        say "the ends of the node's logs:"
        tail -n 4 "$node"/log/*.log >&2 || true
    fi
    "$here/node-down.sh" "$number"
    exit "$status"
}
trap undo EXIT
trap 'interrupted=true; exit 130' INT
trap 'interrupted=true; exit 143' TERM HUP

if [[ ${1:-} == --check ]]; then
    only_look=true
    require_a_machine_for_nodes
    say "this machine can run a node"
    exit 0
fi
if [[ ${1:-} == --for ]]; then
    owner=${2:?a process}
    shift 2
fi
owner_is_gone() { [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; }
for image in "$@"; do [[ -f $image ]] || die "there is no image archive '$image'"; done

require_a_machine_for_nodes
assets=$(KUBERNETES_VERSION='' KUBEBUILDER_ASSETS='' "$here/control-plane.sh")
programs=$("$here/tools.sh" kubernetes-node)
containerd=$("$here/tools.sh" containerd)
cni_plugins=$("$here/tools.sh" cni-plugins)
make_images "$("$here/tools.sh" coredns)"
kubectl=$assets/kubectl

# --- a number, and with it all names ---------------------------------------------------------
for ((candidate = 0; ; candidate++)); do
    ((candidate < node_count)) || die "$node_count nodes are there already: hack/node-down.sh --all"
    node_names "$candidate"
    if node_is_left; then
        say "node $number was left by somebody who died, and goes"
        "$here/node-down.sh" "$number"
    fi
    # The last node that goes takes this along.
    mkdir -p "$node_root"
    chmod 0755 "$node_root"
    [[ -z $(ip -4 route show "$pods.0/24") && ! -e /run/netns/$name ]] || continue
    mkdir -m 0700 "$node" 2>/dev/null && break
done
made=yes
echo $$ >"$node/maker"
if [[ -n $owner ]]; then echo "$owner" >"$node/owner"; fi

# --- start -----------------------------------------------------------------------------------
mkdir -p "$node"/{pki,log,conf,cni,run,kubelet/volume-plugins}
started=$SECONDS limit=$((SECONDS + 180))
await() { # <what> <command>...
    local what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < limit)) || die "$what: not within 180 s"
        ! owner_is_gone || die "process $owner, which this node is for, has ended"
        sleep 0.2
    done
}

say "starting node $number ($node)"
make_network
make_certificates
make_configuration
make_cgroups
setsid nsenter --net="/run/netns/$name" unshare --mount --pid --fork --kill-child --mount-proc \
    "$BASH" "$here/node/init.sh" "$node" >"$node/log/init.log" 2>&1 </dev/null 9>&- & # 9: see hack/e2e.sh

export KUBECONFIG=$node/conf/admin.kubeconfig
await "the API server" "$kubectl" get --raw /readyz
ctr=("$containerd/ctr" -a "$socket" -n k8s.io)
await "containerd" "${ctr[@]}" version
for image in "$node_images"/*.tar "$@"; do
    "${ctr[@]}" images import "$image" >"$node/log/import.log" 2>&1 || die "$image cannot be brought in"
done
# kube-proxy and the Pods' DNS are programs of the cluster like any other, and need their rights.
"$kubectl" create clusterrolebinding node-proxier --clusterrole system:node-proxier --user system:kube-proxy >/dev/null
await "the node" "$kubectl" get node node
"$kubectl" wait --for=condition=Ready node/node --timeout=120s >/dev/null || die "the node is not ready"
await "service accounts" "$kubectl" get sa/default cm/kube-root-ca.crt -n default
sed "s/SERVICES/$services/" "$here/node/coredns.yaml" | "$kubectl" apply -f - >/dev/null
"$kubectl" -n kube-system rollout status deployment/coredns --timeout=120s >/dev/null || die "DNS does not start"

printf '%s=%q\n' node "$node" socket "$socket" ctr "$containerd/ctr" kubectl "$kubectl" >"$node/env"
say "node $number is ready after $((SECONDS - started)) s"
# Where nobody reads this any more, nobody will take the node down either: the write fails, and it goes.
trap '' PIPE
printf '%s\n' "$KUBECONFIG"
trap - EXIT
