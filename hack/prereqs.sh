#!/usr/bin/env bash
# What must be on the machine before anything is built. Names every missing thing at once, with the
# version that is needed and where it comes from; silent when all is there. With --no-go: for what needs
# neither a control plane nor another tool written in Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=0
need() { # <what is needed> <what is there> <remedy>
    printf 'prereqs: %s is needed (%s).\n         %s\n' "$1" "$2" "$3" >&2
    missing=$((missing + 1))
}
at_least() { # <found x.y[.z]> <wanted x.y[.z]>
    local found_major found_minor wanted_major wanted_minor
    IFS=. read -r found_major found_minor _ <<<"$1"
    IFS=. read -r wanted_major wanted_minor _ <<<"$2"
    ((found_major > wanted_major || (found_major == wanted_major && found_minor >= wanted_minor)))
}
version_in() { grep -Eo '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1; }

# Rust: with rustup, rust-toolchain.toml selects (and fetches) the very version.
rust=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
remedy="Install rustup from https://rustup.rs, then: rustup toolchain install $rust --component rustfmt,clippy"
if ! command -v cargo >/dev/null; then
    need "Rust $rust" "no cargo in PATH" "$remedy"
elif ! found=$(rustc --version 2>&1 | version_in) || [[ -z $found ]]; then
    need "Rust $rust" "rustc does not run here" "$remedy"
elif ! at_least "$found" "$rust"; then
    need "Rust $rust or later" "found $found" "$remedy"
else
    for tool in cargo-fmt cargo-clippy; do
        command -v "$tool" >/dev/null || need "$tool of Rust $rust" "not in PATH" "rustup component add rustfmt clippy"
    done
fi

# Go builds kube-apiserver and etcd; whoever brings them needs none, nor does a filled cache.
go=$(sed -n 's/^go //p' hack/controlplane/kubernetes/go.mod)
if [[ ${1:-} != --no-go && -z ${KUBEBUILDER_ASSETS:-} ]] && ! hack/control-plane.sh --find >/dev/null 2>&1; then
    remedy="Install it from https://go.dev/dl/, or set KUBEBUILDER_ASSETS to a directory that holds kube-apiserver and etcd."
    if ! command -v go >/dev/null; then
        need "Go $go or later" "no go in PATH" "$remedy"
    elif ! found=$(go env GOVERSION 2>/dev/null | version_in) || ! at_least "${found:-0.0}" "$go"; then
        need "Go $go or later" "found ${found:-none that runs}" "$remedy"
    fi
fi

command -v cc >/dev/null || need "a C compiler" "no cc in PATH; the ring crate compiles C" \
    "Debian, Ubuntu: apt-get install gcc libc6-dev. Fedora: dnf install gcc. macOS: xcode-select --install."
command -v git >/dev/null || need "git" "not in PATH" "Install it from your system's packages."

((missing == 0)) || exit 1
