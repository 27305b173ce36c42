# shellcheck shell=bash
# Sourced by node-up.sh: who is who on the node, by certificates of an authority of its own, and a
# kubeconfig for each of its programs and for the administrator.
#
# Steps are joined by `&&`: within what stands before `||`, the shell goes on after a command that failed.

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() { # <name>
    new_key "$1" &&
        openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.crt"
}

certificate() { # <name> <subject> [<alternative names>]
    new_key "$1" && openssl req -new -key "$1.key" -subj "$2" |
        openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
            -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' "${3:-DNS:$1}")
}

# shellcheck disable=SC2154 # $inner is node-up.sh's
kubeconfig() { # <name>
    cat <<EOT
apiVersion: v1
kind: Config
current-context: node
contexts: [{name: node, context: {cluster: node, user: $1}}]
clusters:
  - name: node
    cluster: {server: "https://$inner:6443", certificate-authority-data: $(base64 -w0 ca.crt)}
users:
  - name: $1
    user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}
EOT
}

make_certificates() {
    local log=$node/log/openssl.log user service=kubernetes.default
    cd "$node/pki"
    {
        authority ca &&
            authority front-proxy-ca &&
            certificate apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$inner,IP:$services.1,IP:$pods.1,DNS:localhost,DNS:kubernetes,DNS:$service,DNS:$service.svc,DNS:$service.svc.cluster.local" &&
            certificate apiserver-kubelet /O=system:masters/CN=apiserver-kubelet &&
            certificate kubelet-serving /CN=node "IP:$pods.1,DNS:node" &&
            certificate admin /O=system:masters/CN=admin &&
            certificate controller-manager /CN=system:kube-controller-manager &&
            certificate scheduler /CN=system:kube-scheduler &&
            certificate kubelet /O=system:nodes/CN=system:node:node &&
            certificate proxy /CN=system:kube-proxy &&
            openssl genrsa -out service-accounts.key 2048 &&
            openssl rsa -in service-accounts.key -pubout -out service-accounts.pub
    } >"$log" 2>&1 || die "openssl failed, see $log"
    for user in admin controller-manager scheduler kubelet proxy; do
        kubeconfig "$user" >"$node/conf/$user.kubeconfig"
    done
    cd "$here"
}
