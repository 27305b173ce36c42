# shellcheck shell=bash
# Sourced by node-up.sh: can this machine run a node, and if not, why not. Each thing that a node
# needs is tried, in small and for real, rather than guessed from versions; all reasons are given at
# once. What is made for a try goes again. What stays is what a node needs of the machine itself: packages,
# kernel modules, and the cgroup controllers that the root passes on; with `only_look` they are not touched.

obstacles=() only_look=false
obstacle() { obstacles+=("$*"); }

probe=dws-probe-$$ probe_link=dwsp$$
remove_probes() {
    ip link del "$probe_link" 2>/dev/null || true
    ip netns del "$probe" 2>/dev/null || true
    rm -rf "${node_root:?}/$probe"
    rmdir "$node_root" 2>/dev/null || true
}

# What is asked of the machine's packages. containerd and the rest are built from Go modules, because
# a distribution's containerd package starts a service; these two start nothing.
packages=()
need_command() { # <command> <Debian's package>
    command -v "$1" >/dev/null || packages+=("$2")
}
install_packages() { # fails where the rest cannot be tried
    need_command ip iproute2
    need_command nsenter util-linux
    need_command unshare util-linux
    need_command openssl openssl
    need_command curl curl
    need_command nft nftables
    need_command runc runc
    ((${#packages[@]} > 0)) || return 0
    if $only_look && command -v apt-get >/dev/null; then
        say "these packages are missing, and a node's start installs them by apt-get: ${packages[*]}. What needs them is tried then"
        return 1
    fi
    if command -v apt-get >/dev/null; then
        say "installing ${packages[*]} (apt-get)"
        local log
        log=$(mktemp)
        if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
            >"$log" 2>&1 </dev/null; then
            rm -f "$log"
            return 0
        fi
        tail -n 5 "$log" >&2
        rm -f "$log"
    fi
    obstacle "these packages are not installed, and apt-get could not: ${packages[*]} (Debian's names)"
    return 1
}

# A namespace of its own with a bridge, a link to this machine, and address translation.
check_network() {
    local in="nsenter --net=/run/netns/$probe"
    if ! ip netns add "$probe" 2>/dev/null; then
        obstacle "no network namespace can be made ('ip netns add' fails)"
        return
    fi
    if ! $only_look; then modprobe -q br_netfilter 2>/dev/null || true; fi # where it is a module
    $in ip link add br0 type bridge 2>/dev/null || obstacle "no bridge can be made in a network namespace"
    ip link add "$probe_link" type veth peer name eth0 netns "$probe" 2>/dev/null || obstacle "no veth pair can be made"
    $in sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null ||
        { $only_look && modprobe -qn br_netfilter 2>/dev/null; } ||
        obstacle "the kernel has no br_netfilter: Services could not be reached from Pods of the same bridge"
    # What kube-proxy writes, in its forms.
    $in nft -f - 2>/dev/null <<'RULES' || obstacle "nftables cannot translate addresses here (nat, fib, maps)"
table ip probe {
    map services { type inet_proto . ipv4_addr . inet_service : verdict; elements = { tcp . 10.0.0.1 . 443 : goto one } }
    chain one { meta l4proto tcp dnat to 127.0.0.1:6443; }
    chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local meta l4proto . ip daddr . th dport vmap @services; }
    chain postrouting { type nat hook postrouting priority srcnat; mark and 0x4000 != 0 masquerade fully-random; }
}
RULES
}

check_mounts() {
    local at=$node_root/$probe
    if ! mkdir -p "$at"/{lower,upper,work,merged} 2>/dev/null; then
        obstacle "$node_root cannot be written; set DWS_NODE_ROOT to another directory"
        return
    fi
    unshare --mount --pid --fork --kill-child --mount-proc true 2>/dev/null ||
        obstacle "no mount and process namespace can be made ('unshare --mount --pid' fails)"
    # shellcheck disable=SC2016 # $1 is that of the inner shell
    unshare --mount sh -c 'mount -t overlay overlay -o lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work $1/merged' sh "$at" 2>/dev/null ||
        obstacle "overlay cannot be mounted in $node_root; set DWS_NODE_ROOT to a directory on ext4, xfs or tmpfs"
    # shellcheck disable=SC2016
    unshare --mount sh -c ': >$1/file && mount --bind $1/file /proc/sys/vm/overcommit_memory' sh "$at" 2>/dev/null ||
        obstacle "nothing can be mounted over /proc/sys, and kubelet would write settings of the whole machine there"
}

check_cgroups() {
    # shellcheck disable=SC2034 # node_cgroups makes the paths from it
    local name=$probe controllers controller at
    if cgroup_v2; then
        controllers=" $(cat /sys/fs/cgroup/cgroup.controllers) "
        for controller in cpu cpuset memory pids; do
            [[ $controllers == *" $controller "* ]] || obstacle "the cgroup controller '$controller' is not there"
        done
        $only_look || delegate_controllers || obstacle "cgroup controllers cannot be passed on (/sys/fs/cgroup/cgroup.subtree_control)"
    else
        for controller in cpu cpuacct cpuset memory pids; do
            [[ -d /sys/fs/cgroup/$controller ]] || obstacle "the cgroup controller '$controller' is not mounted below /sys/fs/cgroup"
        done
    fi
    while read -r at; do
        if mkdir "$at" 2>/dev/null; then rmdir "$at"; else obstacle "no cgroup can be made ($at)"; fi
    done < <(node_cgroups)
}
delegate_controllers() { # version 2: to the children of the root; systemd does most of it
    local controller
    for controller in cpu cpuset memory pids hugetlb; do
        if grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers && ! grep -qw "$controller" /sys/fs/cgroup/cgroup.subtree_control; then
            (echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control) 2>/dev/null || return 1
        fi
    done
}

check_room() {
    local memory disk
    memory=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
    ((memory >= 1500)) || obstacle "$memory MB of memory are free, and a node with its Pods takes 1500"
    grep -q '^Seccomp:' /proc/self/status || obstacle "the kernel has no seccomp, which restricted Pods ask for"
    mkdir -p "$node_root" 2>/dev/null || return 0
    disk=$(df -Pm "$node_root" | awk 'NR == 2 { print $4 }')
    ((disk >= 2000)) || obstacle "$disk MB are free in $node_root, and a node takes 2000"
}

# Says all that is in the way, and ends with 77 ("could not run here") if anything is.
require_a_machine_for_nodes() {
    if [[ $(uname -s) != Linux ]]; then
        obstacle "this is $(uname -s), and a node needs Linux"
    elif ((EUID != 0)); then
        obstacle "you are '$(id -un)', and only root can make namespaces, mounts and cgroups: sudo -E make test-e2e"
    elif install_packages; then
        check_network
        check_mounts
        check_cgroups
        check_room
        remove_probes
    elif $only_look; then
        check_cgroups
        check_room
    fi
    ((${#obstacles[@]} > 0)) || return 0
    say "this machine cannot run a Kubernetes node:"
    printf '  - %s\n' "${obstacles[@]}" >&2
    exit 77
}
