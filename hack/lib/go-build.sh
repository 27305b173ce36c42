# shellcheck shell=bash
# Sourced by the scripts that build programs from pinned Go modules, once, into the cache outside the
# tree: one build at a time in each cache directory, with progress on a terminal and a line every 15 s
# elsewhere, into a directory that is renamed when it is whole. All words go to stderr.
#
# Who sources it sets `program`, the name that its messages bear, and `remedy`, what to do instead of
# building, defines `answer`, which prints the result, and calls, in this order:
#
#   go_build_begin ROOT TARGET   takes the lock of ROOT; answers and ends if TARGET is there by then
#   go_build LABEL NAME MODULE PACKAGE FLAGS VERSION   (more than one)
#   go_build_end

# shellcheck source=hack/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# How we build is a part of what is built: hashed into the names in the cache. Raise it when the build flags
# below, or those of who sources this, change.
# shellcheck disable=SC2034 # read by those who source this
recipe=1

pinned() { # <module directory> <module path>: the version its go.mod requires
    awk -v path="$2" '$1 == "require" { $0 = substr($0, index($0, $2)) } $1 == path { print $2; exit }' "$1/go.mod"
}

kubernetes_flags() { # <version>: without these a program of Kubernetes calls itself v0.0.0-master
    local version=${1#v} minor package
    minor=${version#*.}
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        printf ' -X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s' "$package" "$1" \
            "$package" "${version%%.*}" "$package" "${minor%%.*}"
    done
}

build_root='' build_target='' build_lock='' build_temporary='' build_compiler='' build_started=0

go_build_clean() {
    if [[ -n $build_compiler ]]; then kill "$build_compiler" 2>/dev/null || true; fi
    if [[ -n $build_temporary ]]; then rm -rf "$build_temporary"; fi
    if [[ -n $build_lock ]]; then rm -rf "$build_lock"; fi
}

go_build_sweep() { # what killed builds left; their compiler may have outlived them for a while
    local left
    for left in "$build_root"/.build-*; do
        if [[ -d $left ]] && ! kill -0 "${left##*-}" 2>/dev/null; then rm -rf "$left"; fi
    done
}

go_build_done_by_another() {
    if [[ -d $build_target ]]; then
        answer
        exit 0
    fi
}

# A lock whose owner died is taken over. Should two ever get in together, each still builds into a
# directory of its own and the last step is a rename.
go_build_begin() { # <root> <target>
    local lock=$1/.lock waiting=0 owner
    command -v go >/dev/null || die "Go 1.26 or later is needed: install it from https://go.dev/dl/. ${remedy:-}"
    build_root=$1 build_target=$2
    mkdir -p "$build_root"
    trap go_build_clean EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    until mkdir "$lock" 2>/dev/null; do
        go_build_done_by_another
        owner=$(cat "$lock/pid" 2>/dev/null || true)
        if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
            mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
            continue
        fi
        # A lock without an owner is one that died between two commands; it is given a minute.
        if [[ -z $owner ]] && ((waiting >= 60)); then
            mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
            continue
        fi
        if ((waiting % 15 == 0)); then say "another build is running (process ${owner:-unknown}), waiting: $waiting s"; fi
        sleep 1
        waiting=$((waiting + 1))
    done
    build_lock=$lock
    echo $$ >"$build_lock/pid"
    go_build_done_by_another # it was finished while we waited
    go_build_sweep
    build_temporary=$build_root/.build-$$
    mkdir -p "$build_temporary/bin"
    build_started=$SECONDS
}

go_build_progress() { # <what> <seconds>, while it builds
    if [[ -t 2 ]]; then
        printf '\r%s: building %s: %d s ' "${program:-build}" "$1" "$2" >&2
    elif (($2 % 15 == 0 && $2 > 0)); then
        say "building $1: $2 s"
    fi
}

go_build() { # <label, such as `1 of 3: `> <name> <module directory> <package> <linker flags> <version>
    local label="$1$2" begin=$SECONDS now last=-1
    say "building $label (version $6)"
    (
        cd "$3" || exit 1
        # Nothing of the caller's Go settings may change what is built or turn it into a cross build.
        unset GOFLAGS GOOS GOARCH GOWORK
        export CGO_ENABLED=0
        exec go build -trimpath -buildvcs=false -ldflags "-s -w $5" -o "$build_temporary/bin/$2" "$4"
    ) >"$build_temporary/log" 2>&1 </dev/null &
    build_compiler=$!
    while kill -0 "$build_compiler" 2>/dev/null; do
        now=$((SECONDS - begin))
        if ((now != last)); then
            go_build_progress "$label" "$now"
            last=$now
        fi
        sleep 0.2
    done
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    if ! wait "$build_compiler"; then
        build_compiler=''
        tail -n 20 "$build_temporary/log" >&2
        die "building $2 failed (above: the end of what Go said). The Go module proxy must be reachable the first time;" \
            "see 'go env GOPROXY'. ${remedy:-}"
    fi
    build_compiler=''
    say "built $label in $((SECONDS - begin)) s"
}

go_build_end() {
    if [[ ! -d $build_target ]]; then mv "$build_temporary/bin" "$build_target" || die "cannot write $build_target"; fi
    go_build_sweep
    say "done in $((SECONDS - build_started)) s"
}
