# shellcheck shell=bash
# Sourced by the scripts beside it: how they speak, where what they build is kept, and what differs between
# systems. Who sources it sets `program`, the name that its messages bear. All words go to stderr.

say() { printf '%s: %s\n' "${program:-build}" "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# shellcheck disable=SC2034 # read by those who source this
cache=${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dws-operator}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

platform() { # <os>-<architecture>, as Go names them
    local arch
    case $(uname -m) in
        x86_64 | amd64) arch=amd64 ;;
        aarch64 | arm64) arch=arm64 ;;
        *) arch=$(uname -m) ;;
    esac
    printf '%s-%s\n' "$(uname -s | tr '[:upper:]' '[:lower:]')" "$arch"
}
