#!/usr/bin/env bash
# Runs cargo-deny over the dependency tree (deny.toml): bans, licences and sources; with
# --advisories the known vulnerabilities, where their database can be reached (else exit 77).
# Installs its own pinned cargo-deny, once, into the cache outside the tree (about two minutes on
# two cores).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.20.2
root=${DWS_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dws-operator}/tools/cargo-deny-$version

if [[ $(cargo-deny --version 2>/dev/null) == "cargo-deny $version" ]]; then
    deny=cargo-deny
else
    deny=$root/bin/cargo-deny
    if [[ ! -x $deny ]]; then
        echo "cargo-deny $version is built once, into $root" >&2
        begin=$SECONDS
        env -u CARGO_TARGET_DIR -u RUSTFLAGS cargo install --quiet --locked --version "$version" --root "$root" cargo-deny
        echo "built in $((SECONDS - begin)) s" >&2
    fi
fi

case ${1:-} in
    '') exec "$deny" --locked check bans licenses sources ;;
    --advisories) ;;
    *)
        echo "unknown argument '$1'" >&2
        exit 2
        ;;
esac

database=https://github.com/RustSec/advisory-db
reachable() {
    # Not every system has timeout(1); git gives up by itself when no byte comes for ten seconds.
    GIT_TERMINAL_PROMPT=0 git -c http.lowSpeedLimit=1 -c http.lowSpeedTime=10 ls-remote --quiet "$database" HEAD
}
if ! reachable >/dev/null 2>&1; then
    echo "skipped: advisories, since $database cannot be reached from here"
    exit 77
fi
exec "$deny" --locked check advisories
