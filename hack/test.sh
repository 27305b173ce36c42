#!/usr/bin/env bash
# Everything that CI runs (`make test`), or the long suites (`make test-deep`, --deep). A failed
# step does not stop the later ones, so that one run shows all that is wrong; the exit code tells.
#
# Suites leave their figures in target/figures; they are printed at the end. The last line counts
# tests and steps: `N passed, M failed, K skipped`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

deep=false
case ${1:-} in
    '') ;;
    --deep) deep=true ;;
    *)
        echo "unknown argument '$1'" >&2
        exit 2
        ;;
esac

passed=0 failed=0 skipped=0
summary=()
record() { # <word> <step> <seconds> [more]
    summary+=("$(printf '%-8s %-28s %5d s  %s' "$1" "$2" "$3" "${4:-}")")
}

# A step that exits with 77 could not run here and has said why.
step() { # <name> <command>...
    local name=$1 begin=$SECONDS status=0
    shift
    printf '\n==> %s\n' "$name"
    "$@" || status=$?
    case $status in
        0)
            passed=$((passed + 1))
            record passed "$name" $((SECONDS - begin))
            ;;
        77)
            skipped=$((skipped + 1))
            record skipped "$name" $((SECONDS - begin)) "its output says why"
            ;;
        *)
            failed=$((failed + 1))
            record FAILED "$name" $((SECONDS - begin)) "exit $status"
            printf 'FAILED: %s (exit %d)\n' "$name" "$status"
            ;;
    esac
}

control_plane() {
    KUBEBUILDER_ASSETS=$(hack/control-plane.sh) || return 1
    export KUBEBUILDER_ASSETS
    echo "kube-apiserver and etcd: $KUBEBUILDER_ASSETS"
}

# The state of the tree as git sees it, so that what a generator changes shows, whatever else is
# being worked on.
tree() { { git diff && git status --porcelain --untracked-files=all; } | git hash-object --stdin; }
generated() {
    local before manifests=0
    before=$(tree)
    cargo run --quiet --locked --example generate || return 1
    hack/manifests.sh || manifests=$?
    ((manifests == 0 || manifests == 77)) || return 1
    if [[ $(tree) != "$before" ]]; then
        git --no-pager diff --stat
        git status --short
        echo "generated files were out of date: they are written now; look at them and commit them ('make generate')"
        return 1
    fi
    echo "generated files are up to date"
    return $manifests
}

# helm and kustomize, for the chart, its manifests and their tests.
tools() {
    local name
    for name in helm kustomize; do
        if hack/tools.sh --find "$name" 2>/dev/null; then continue; fi
        if ! command -v go >/dev/null; then
            echo "skipped: $name is not built, and Go, which builds it, is missing"
            return 77
        fi
        hack/tools.sh "$name" || return 1
    done
}

# cargo's own result lines are added up; a binary that crashed or did not compile has none, and
# counts as one failure.
cargo_tests() { # <name> <cargo test arguments>...
    local name=$1 log begin=$SECONDS status=0 pass fail ignored
    shift
    log=target/cargo-test.log
    printf '\n==> %s\n' "$name"
    cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?
    read -r pass fail ignored < <(awk '/^test result: / {
        gsub(/;/, "")
        for (i = 2; i <= NF; i++) {
            if ($i == "passed") pass += $(i - 1)
            if ($i == "failed") fail += $(i - 1)
            if ($i == "ignored") ignored += $(i - 1)
        }
    } END { print pass + 0, fail + 0, ignored + 0 }' "$log")
    if ((status != 0 && fail == 0)); then fail=1; fi
    # A run of no test at all proves nothing.
    if ((pass + fail == 0)); then fail=1; fi
    passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + ignored))
    record "$( ((fail == 0)) && echo passed || echo FAILED)" "$name" $((SECONDS - begin)) "$pass passed, $fail failed, $ignored ignored"
}

rm -rf target/figures
mkdir -p target/figures

if $deep; then
    step "tools" tools
    step "control plane" control_plane
    step "GitOps witness" hack/gitops-witness.sh
    # Optimised, since these are long, with the checks of a debug build on.
    DEEP=1 SIMULATION=deep cargo_tests "cargo test, deep" --profile deep --all-targets
    # The schemas and their rules, and a few lives, on the oldest Kubernetes that they are for: its cost
    # estimate and its validation are its own.
    export KUBERNETES_VERSION=1.33
    step "oldest control plane" hack/control-plane.sh
    cargo_tests "oldest Kubernetes: schemas" --profile deep --test control_plane --test manifests --test transitions
    cargo_tests "oldest Kubernetes: lives" --profile deep --test scenarios -- create:: deletion::
    cargo_tests "oldest Kubernetes: chart" --profile deep --test chart
    unset KUBERNETES_VERSION
    step "oldest Helm" hack/tools.sh helm3
    CHART_HELM=helm3 cargo_tests "oldest Helm: chart" --profile deep --test chart
    step "images" hack/image-check.sh
    step "a real node" hack/e2e.sh
else
    step "format" cargo fmt --check
    step "clippy" cargo clippy --locked --all-targets -- -D warnings
    step "shellcheck" hack/shellcheck.sh
    step "dependencies" hack/deny.sh
    step "advisories" hack/deny.sh --advisories
    step "tools" tools
    step "generated files" generated
    step "control plane" control_plane
    step "GitOps witness" hack/gitops-witness.sh
    cargo_tests "cargo test"
    # The simulation is thousands of whole lives: optimised they take minutes, else an hour.
    rm -f target/figures/simulation
    SIMULATION=whole cargo_tests "simulation" --profile deep --test simulation
    step "SDK witness" hack/sdk-witness.sh
fi

printf '\n==> figures\n'
cat target/figures/* 2>/dev/null || echo "no suite left one"
printf '\n==> steps\n'
printf '%s\n' "${summary[@]}"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
