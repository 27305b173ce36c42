# shellcheck shell=bash
# Sourced by node-up.sh and node-down.sh: where a node lives on this machine, and under which names.
#
# Everything that a node makes hangs on its number (0, 1, ...), so that several can run side by side:
#
#   /var/lib/dws-operator-node/N   its directory: data, logs, certificates, sockets (DWS_NODE_ROOT moves it)
#   dws-node-N                     its network namespace and its cgroup
#   dwsnodeN                       the link between this machine and it

# shellcheck disable=SC2034 # read by those who source this
node_count=32
node_root=${DWS_NODE_ROOT:-/var/lib/dws-operator-node}

# shellcheck disable=SC2034 # read by those who source this
node_names() { # <number>
    number=$1
    node=$node_root/$number
    name=dws-node-$number
    link=dwsnode$number
    outer=10.250.$number.1 inner=10.250.$number.2 # the two ends of the link
    pods=10.244.$number services=10.96.$number    # /24 each; .1 of pods is the node itself
    socket=$node/run/containerd.sock
}

# The processes whose end is the node's end: `unshare`, and the first process of the node with its
# children. They are known by their last two arguments, whatever their numbers.
node_processes() {
    local process
    for process in /proc/[0-9]*; do
        if [[ $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") == *"/init.sh $node " ]]; then
            printf '%s\n' "${process#/proc/}"
        fi
    done
}

# Left by somebody who died: by its maker before it was up, or by the process that it was for.
node_is_left() {
    local maker owner
    [[ -d $node ]] || return 1
    maker=$(cat "$node/maker" 2>/dev/null || true)
    owner=$(cat "$node/owner" 2>/dev/null || true)
    if [[ -n $maker ]] && kill -0 "$maker" 2>/dev/null; then return 1; fi
    if [[ -z $owner ]]; then
        [[ -z $(node_processes) ]]
    elif kill -0 "$owner" 2>/dev/null; then
        return 1
    fi
}

# The cgroups of this node: one in each hierarchy of version 1, a single one in version 2.
cgroup_v2() { [[ -f /sys/fs/cgroup/cgroup.controllers ]]; }
node_cgroups() {
    local hierarchy
    if cgroup_v2; then
        printf '/sys/fs/cgroup/%s\n' "$name"
        return
    fi
    for hierarchy in /sys/fs/cgroup/*/; do
        # `cpu` is often another name of `cpu,cpuacct`.
        [[ -L ${hierarchy%/} ]] || printf '%s%s\n' "$hierarchy" "$name"
    done
}
