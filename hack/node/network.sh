# shellcheck shell=bash
# Sourced by node-up.sh: the node's network namespace. A link leads to this machine, a bridge to the
# Pods. This machine passes nothing on for the node, so what runs there reaches nothing outside.

make_network() {
    ip netns add "$name"
    ip link add "$link" type veth peer name eth0 netns "$name"
    ip addr add "$outer/30" dev "$link"
    ip link set "$link" up
    ip route add "$pods.0/24" via "$inner"
    ip route add "$services.0/24" via "$inner"
    # Not `ip netns exec`: it mounts /sys anew, and loses the cgroups below it.
    # shellcheck disable=SC2016 # they are those of the inner shell
    nsenter --net="/run/netns/$name" bash -euc '
        inner=$1 outer=$2 pods=$3
        ip link set lo up
        ip addr add "$inner/30" dev eth0
        ip link set eth0 up
        ip route add default via "$outer"
        ip link add cni0 type bridge
        ip addr add "$pods.1/24" dev cni0
        ip link set cni0 up
        sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
    ' bash "$inner" "$outer" "$pods"
}
