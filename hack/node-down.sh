#!/usr/bin/env bash
# Takes away what hack/node-up.sh made: processes, containers, mounts, cgroups, network, directory.
# Can be called at any time and again, on what a crash left too.
#
#   hack/node-down.sh NUMBER|DIRECTORY
#   hack/node-down.sh --of PID       what was made for that process (hack/node-up.sh --for)
#   hack/node-down.sh --all
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program='node-down'
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=hack/node/lib.sh
source "$here/node/lib.sh"

# The kernel takes a moment to let go of what the killed processes held.
gone() { # <what> <command that succeeds once it is gone>...
    local what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if ((tries > 100)); then
            say "error: $what is still there after 10 s"
            return 1
        fi
        sleep 0.1
    done
}

# shellcheck disable=SC2317,SC2329 # these are called by gone
no_process() {
    local processes
    processes=$(node_processes)
    [[ -n $processes ]] || return 0
    xargs kill -9 <<<"$processes" || true
    return 1
}
# shellcheck disable=SC2317,SC2329
no_cgroup() { # <directory>: from its leaves up; what is still in one is killed
    [[ -d $1 ]] || return 0
    find "$1" -depth -type d | while read -r group; do
        xargs -r kill -9 <"$group/cgroup.procs" || true
        rmdir "$group" || true
    done
    [[ ! -d $1 ]]
}
# shellcheck disable=SC2317,SC2329
no_link() { ! ip link show "$link" || { ip link del "$link" && false; }; }
# shellcheck disable=SC2317,SC2329
no_netns() { [[ ! -e /run/netns/$name ]] || { ip netns del "$name" && false; }; }
# shellcheck disable=SC2317,SC2329
no_directory() { rm -rf "$node" && [[ ! -e $node ]]; }

take_down() { # <number>
    local left=0 cgroup
    node_names "$1"
    # The first process of a process namespace takes all others of it along, and the mount namespace
    # that only they were in takes the mounts.
    gone "a process of the node" no_process || left=1
    while read -r cgroup; do
        gone "cgroup $cgroup" no_cgroup "$cgroup" || left=1
    done < <(node_cgroups)
    gone "link $link" no_link || left=1
    gone "network namespace $name" no_netns || left=1
    # Last: as long as it is there, the number is not given to another node.
    if ((left == 0)); then gone "$node" no_directory || left=1; fi
    return "$left"
}

# Mount points that the nodes made on this machine's own disk. Another node may have something mounted there.
forget_mount_points() {
    local directory
    for directory in "$node_root"/*/; do
        if [[ -d $directory ]]; then return; fi
    done
    if [[ -f $node_root/mount-points ]]; then
        xargs -r rmdir 2>/dev/null <"$node_root/mount-points" || true # one that is in use by now stays
        rm -f "$node_root/mount-points"
    fi
    rmdir "$node_root" 2>/dev/null || true
}

usage='usage: hack/node-down.sh NUMBER|DIRECTORY|--of PID|--all'
owner=''
if [[ ${1:-} == --of ]]; then
    owner=${2:?$usage}
    shift
fi
(($# == 1)) || die "$usage"
status=0
if [[ -n $owner || $1 == --all ]]; then
    for directory in "$node_root"/*/; do
        [[ -d $directory ]] || continue
        if [[ -n $owner && $(cat "$directory/owner" 2>/dev/null) != "$owner" ]]; then continue; fi
        take_down "$(basename "$directory")" || status=1
    done
else
    number=$(basename "$1")
    [[ $number =~ ^[0-9]+$ ]] || die "'$1' is neither the number nor the directory of a node"
    take_down "$number" || status=1
fi
forget_mount_points
exit "$status"
