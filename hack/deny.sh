#!/usr/bin/env bash
# Runs cargo-deny over the dependency tree (deny.toml): bans, licences and sources; with
# --advisories the known vulnerabilities, where their database can be reached (else exit 77).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deny=$(hack/cargo-tool.sh cargo-deny 0.20.2)

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
