#!/usr/bin/env bash
# Every script that we write before shellcheck, what they source where it is sourced; exits with 77 and a line that says so where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v shellcheck >/dev/null; then
    echo "skipped: shellcheck, since it is not installed"
    exit 77
fi
exec shellcheck -x -a hack/*.sh hack/node/init.sh .ci/run
