#!/usr/bin/env bash
# The chart and the images on a real Kubernetes (`make test-e2e`), from `helm install` to `kubectl delete
# crd`: tests/e2e says what is done and what it must show.
#
#   hack/e2e.sh                    on a node that is started on this machine, and goes afterwards
#   CLUSTER=current hack/e2e.sh    on the cluster that KUBECONFIG points at (kind, say), which must not
#                                  have the operator or its definitions: all that it makes is removed.
#                                  A KUBECONFIG with an E2E_IMAGE beside it says the same
#
#   E2E_IMAGES=DIRECTORY           for a node: dws-operator.tar and dws-simulator.tar from there, instead of
#                                  those that `make image` builds
#   KEEP=1                         leaves the node up and prints its KUBECONFIG
#   E2E_IMAGE=, E2E_SIMULATOR_IMAGE=   for another cluster: images that it has or can pull
#   E2E_IMAGE_NEXT=                what `helm upgrade` goes to there; the same image where there is but one
#
# Exit code 77: this machine cannot run a node; each reason is said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2034 # read by lib/common.sh
program=e2e
# shellcheck source=hack/lib/common.sh
source hack/lib/common.sh

# The KUBECONFIG of an environment may be anybody's; with an image for that cluster it is meant.
if [[ -z ${CLUSTER:-} && -n ${KUBECONFIG:-} ]]; then
    if [[ -n ${E2E_IMAGE:-} ]]; then
        CLUSTER=current
    else
        say "KUBECONFIG=$KUBECONFIG is ignored; to test on that cluster, set E2E_IMAGE and E2E_SIMULATOR_IMAGE too (CONTRIBUTING.md)"
    fi
fi

started=$SECONDS
images=${E2E_IMAGES:-target/image}
E2E_HELM=$(hack/tools.sh helm)
say "building the test"
cargo test --quiet --locked --test e2e --no-run

# --- a cluster of the user's own -------------------------------------------------------------
if [[ ${CLUSTER:-} == current ]]; then
    E2E_KUBECTL=$(command -v kubectl) || die "kubectl is not in PATH"
    export KUBECONFIG=${KUBECONFIG:-$HOME/.kube/config}
    server=$("$E2E_KUBECTL" config view --minify -o 'jsonpath={.clusters[0].cluster.server}') || die "KUBECONFIG names no cluster"
    "$E2E_KUBECTL" get --raw /readyz >/dev/null || die "the cluster at $server does not answer"
    # What cannot be read is not taken for absent.
    kinds=crd,clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding
    all=$("$E2E_KUBECTL" get "$kinds" -o name) || die "what the cluster at $server holds cannot be read"
    there=$(grep -E 'dws\.huaweicloud\.com|/dws-operator' <<<"$all" || true)
    # All those that the steps make (World::make_namespace).
    places=$("$E2E_KUBECTL" get ns dws-system dws-cloud orders trial leaves-a-snapshot leaves-nothing leaves-all left-alone \
        --ignore-not-found -o name) || die "the namespaces of the cluster at $server cannot be read"
    there+=${there:+${places:+ }}$places
    [[ -z $there ]] || die "the cluster at $server holds what this test would make and delete, so it is left alone: ${there//$'\n'/ }"
    [[ -n ${E2E_IMAGE:-} && -n ${E2E_SIMULATOR_IMAGE:-} ]] ||
        die "the cluster at $server needs the images. For kind:" $'\n' \
            "    make image && kind load image-archive $images/dws-operator.tar && kind load image-archive $images/dws-simulator.tar" $'\n' \
            "    make test-e2e CLUSTER=current E2E_IMAGE=<the operator's name:tag> E2E_SIMULATOR_IMAGE=<the simulator's>"
    say "testing on the cluster at $server"
    E2E_CLEAN_UP=1
# --- a node of ours --------------------------------------------------------------------------
else
    hack/node-up.sh --check || exit $?
    if [[ -z ${E2E_IMAGES:-} ]]; then hack/image.sh >&2; fi

    # The node ends with this script, however that ends: who reads the other end of a pipe sees it, in a
    # session of its own, so that no signal that is meant for us reaches it before its work. It is there before
    # the node is, and node-up.sh holds the pipe too: what that leaves is seen as well.
    told=$(mktemp)
    # shellcheck disable=SC2016 # $1 is that of the inner shell
    exec 9> >(exec setsid bash -c 'trap "" HUP INT QUIT TERM PIPE
        read -r _ || true
        rm -f "$2"
        exec hack/node-down.sh --of "$1"' bash $$ "$told" >&2)
    watcher=$! starting=''
    take_down() {
        if [[ -n $starting ]]; then kill "$starting" 2>/dev/null || true; fi
        if [[ -n ${KEEP:-} && -n ${node:-} ]]; then
            rm -f "$node/owner"
            say "the node stays (hack/node-down.sh $node takes it down): export KUBECONFIG=$KUBECONFIG"
        fi
        exec 9>&-
        wait "$watcher" || say "something of the node is left"
    }
    trap take_down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    hack/node-up.sh --for $$ >"$told" & # beside us, since a signal is seen while we wait for what runs there
    starting=$!
    wait "$starting"
    starting=''
    KUBECONFIG=$(tail -n 1 "$told")
    export KUBECONFIG
    node=$(dirname "$(dirname "$KUBECONFIG")")

    # shellcheck source=/dev/null
    source "$node/env"
    # shellcheck disable=SC2154 # they come from that file
    E2E_KUBECTL=$kubectl
    # shellcheck disable=SC2154
    ctr() { "$ctr" -a "$socket" -n k8s.io "$@"; }
    # Pods name the images as the archives do; that they are found is a part of the test.
    name_of() { # <archive>: as a manifest writes it
        tar -xOf "$1" manifest.json | sed -n 's/.*"RepoTags":[[:space:]]*\["\([^"]*\)".*/\1/p'
    }
    whole_name_of() { # <archive>: as containerd knows it
        tar -xOf "$1" index.json | sed -n 's/.*"io\.containerd\.image\.name":[[:space:]]*"\([^"]*\)".*/\1/p'
    }
    for name in dws-operator dws-simulator; do
        ctr images import "$images/$name.tar" >>"$node/log/import.log" 2>&1
    done
    E2E_IMAGE=$(name_of "$images/dws-operator.tar")
    E2E_SIMULATOR_IMAGE=$(name_of "$images/dws-simulator.tar")
    E2E_IMAGE_NEXT=localhost/dws-operator:next
    ctr images tag --force "$(whole_name_of "$images/dws-operator.tar")" "$E2E_IMAGE_NEXT" >>"$node/log/import.log" 2>&1
fi

# --- the steps -------------------------------------------------------------------------------
E2E_CHART=${E2E_CHART:-charts/dws-operator}
E2E_IMAGE_NEXT=${E2E_IMAGE_NEXT:-$E2E_IMAGE}
export E2E_HELM E2E_KUBECTL E2E_CHART E2E_IMAGE E2E_IMAGE_NEXT E2E_SIMULATOR_IMAGE E2E_CLEAN_UP
say "ready after $((SECONDS - started)) s"
# The pipe is not for them: they may outlive us.
cargo test --quiet --locked --test e2e -- --ignored --nocapture 9>&-
