# shellcheck shell=bash
# Sourced by node-up.sh: what kubelet, containerd and the Pods' network are told in files.

kubelet_configuration() {
    cat <<EOT
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
# Kubelet refuses cgroup version 1 by default; many containers and virtual machines have no other.
failCgroupV1: false
cgroupDriver: cgroupfs
# Never the root: the machine's own processes are there.
cgroupRoot: /$name
containerRuntimeEndpoint: unix://$socket
address: $pods.1
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $node/pki/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $node/pki/kubelet-serving.crt
tlsPrivateKeyFile: $node/pki/kubelet-serving.key
clusterDomain: cluster.local
clusterDNS: [$services.10]
resolvConf: $node/conf/resolv.conf
podLogsDir: $node/log/pods
volumePluginDir: $node/kubelet/volume-plugins
failSwapOn: false
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
# Images are brought in by hand and could not be pulled again; a full disk is the machine's matter.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}
EOT
}

containerd_configuration() {
    cat <<EOT
version = 3
root = '$node/containerd/root'
state = '$node/containerd/state'
# The first would write to /opt; the others have nothing to do here and only complain.
disabled_plugins = [
  'io.containerd.internal.v1.opt',
  'io.containerd.nri.v1.nri',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
]

[grpc]
address = '$socket'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '$pause_image'

[plugins.'io.containerd.cri.v1.runtime']
# Without it runc asks for a score below its own, which takes CAP_SYS_RESOURCE; where that is missing
# no container starts ("can't get final child's PID from pipe: EOF").
restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['$cni_plugins']
conf_dir = '$node/cni'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '$(command -v runc)'
SystemdCgroup = false
EOT
}

network_configuration() {
    cat <<EOT
{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [{
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": true,
    "ipMasq": false,
    "hairpinMode": true,
    "ipam": {
      "type": "host-local",
      "dataDir": "$node/run/ipam",
      "ranges": [[{"subnet": "$pods.0/24"}]],
      "routes": [{"dst": "0.0.0.0/0"}]
    }
  }]
}
EOT
}

# What init.sh has to know; it sources it.
init_environment() {
    printf '%s=%q\n' node "$node" pods "$pods" services "$services" \
        assets "$assets" programs "$programs" containerd "$containerd"
}

make_configuration() {
    kubelet_configuration >"$node/conf/kubelet.yaml"
    : >"$node/conf/resolv.conf"
    containerd_configuration >"$node/conf/containerd.toml"
    network_configuration >"$node/cni/10-pods.conflist"
    init_environment >"$node/conf/init.env"
}

# Version 1 of cgroups: the root that kubelet is given must be in every hierarchy, and a cpuset must
# have its processors and memory before anything can be put in it.
make_cgroups() {
    local group file
    if cgroup_v2; then delegate_controllers; fi
    while read -r group; do
        mkdir -p "$group"
        [[ -f $group/cpuset.cpus && $group != "/sys/fs/cgroup/$name" ]] || continue
        for file in cpuset.cpus cpuset.mems; do cat "$(dirname "$group")/$file" >"$group/$file"; done
    done < <(node_cgroups)
}
