#!/usr/bin/env bash
# The first process of a node, in a process and a mount namespace that end with it. It starts the
# cluster's programs and starts again what ends, as a service manager would.
#
#   hack/node/init.sh DIRECTORY
set -uo pipefail

# shellcheck source=/dev/null
source "$1/conf/init.env"
# shellcheck disable=SC2154 # they come from init.env
: "$node" "$pods" "$services" "$assets" "$programs" "$containerd"
export PATH=$containerd:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset KUBECONFIG NOTIFY_SOCKET

mount --make-rshared /
# Places of their own for what these programs keep at fixed paths.
for directory in /var/lib/kubelet /var/lib/cni /var/log/containers /run/containerd /run/netns; do
    if [[ ! -d $directory ]]; then
        mkdir -p "$directory"
        echo "$directory" >>"$(dirname "$node")/mount-points"
    fi
    mount -t tmpfs tmpfs "$directory"
done
# Kubelet writes these settings of the kernel; there is one kernel, and it is the machine's.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=$node/run/${setting//[\/=]/.}
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%=*}"
done

start() { # <name> <command>...
    local log=$node/log/$1.log
    shift
    (
        while :; do
            "$@" >>"$log" 2>&1
            echo "ended with $?" >>"$log"
            sleep 1
        done
    ) &
}
identity() { # <name>: how a program of the control plane says who it is, and where it listens
    local config=$node/conf/$1.kubeconfig
    arguments=(--kubeconfig "$config" --authentication-kubeconfig "$config" --authorization-kubeconfig "$config"
        --bind-address 127.0.0.1 --leader-elect=false --cert-dir "$node/run/certs")
}
ready() { curl -sfk --noproxy '*' --cert "$node/pki/admin.crt" --key "$node/pki/admin.key" https://127.0.0.1:6443/readyz >/dev/null; }

start etcd "$assets/etcd" --unsafe-no-fsync --data-dir "$node/etcd" --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:0
start kube-apiserver "$assets/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
    --bind-address 0.0.0.0 --secure-port 6443 --advertise-address "$pods.1" --service-cluster-ip-range "$services.0/24" \
    --cert-dir "$node/run/certs" --tls-cert-file "$node/pki/apiserver.crt" --tls-private-key-file "$node/pki/apiserver.key" \
    --client-ca-file "$node/pki/ca.crt" --kubelet-certificate-authority "$node/pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$node/pki/apiserver-kubelet.crt" --kubelet-client-key "$node/pki/apiserver-kubelet.key" \
    --requestheader-client-ca-file "$node/pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra- \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$node/pki/service-accounts.pub" --service-account-signing-key-file "$node/pki/service-accounts.key"
start containerd "$containerd/containerd" -c "$node/conf/containerd.toml"

until ready; do sleep 0.2; done
identity controller-manager
# With its usual limits the first service account appears after five seconds.
start kube-controller-manager "$programs/kube-controller-manager" "${arguments[@]}" --kube-api-qps 300 --kube-api-burst 600 \
    --use-service-account-credentials --service-account-private-key-file "$node/pki/service-accounts.key" --root-ca-file "$node/pki/ca.crt" \
    --cluster-signing-cert-file "$node/pki/ca.crt" --cluster-signing-key-file "$node/pki/ca.key" \
    --flex-volume-plugin-dir "$node/kubelet/volume-plugins"
identity scheduler
start kube-scheduler "$programs/kube-scheduler" "${arguments[@]}"
start kubelet "$programs/kubelet" --config "$node/conf/kubelet.yaml" --kubeconfig "$node/conf/kubelet.kubeconfig" \
    --hostname-override node --node-ip "$pods.1" --root-dir "$node/kubelet" --cert-dir "$node/run/certs"
# The limits of connection tracking are the machine's too: zero leaves them.
start kube-proxy "$programs/kube-proxy" --kubeconfig "$node/conf/proxy.kubeconfig" --hostname-override node --proxy-mode nftables \
    --cluster-cidr "$pods.0/24" --bind-address 127.0.0.1 \
    --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
wait
