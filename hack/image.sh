#!/usr/bin/env bash
# Builds the images of the operator and of the simulator, without a container engine: archives that
# `docker load`, `podman load`, `ctr images import`, `kind load image-archive` and `skopeo copy
# oci-archive:...` take, and beside each its bill of materials (CycloneDX).
#
#   hack/image.sh              target/image/{dws-operator,dws-simulator}.{tar,cdx.json}
#   hack/image.sh --root DIR   only what is in them: DIR/dws-operator/..., DIR/dws-simulator/... (see Dockerfile)
#
#   IMAGE_REPOSITORY=registry.example.com/team   what the names begin with; nothing, if not set
#   IMAGE_TAG=<the version>
#   SOURCE_DATE_EPOCH, DWS_OPERATOR_BUILD_REVISION   else of the last commit
#
# The same commit, compiler and libc give the same digest, whatever the directory, the time and the user:
# hack/image-check.sh shows it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2034 # read by lib/common.sh
program=image
# shellcheck source=hack/lib/common.sh
source hack/lib/common.sh
root=''
case ${1:-} in
    '') ;;
    --root) root=${2:?a directory} ;;
    *) die "unknown argument '$1'" ;;
esac

target=$(rustc -vV | sed -n 's/^host: //p')
case $target in
    x86_64-*-linux-* | aarch64-*-linux-*) ;;
    *) die "an image holds a Linux program, and this machine builds for $target. Use the Dockerfile: 'docker build .'" ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
programs=(dws-operator dws-simulator)

# --- which commit ----------------------------------------------------------------------------
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
revision=${DWS_OPERATOR_BUILD_REVISION:-}
if [[ -z $revision ]]; then
    revision=$(git rev-parse HEAD)
    if [[ -n $(git status --porcelain) ]]; then revision+=-dirty; fi
fi

# --- the programs ----------------------------------------------------------------------------
# Nothing of where they are built may be in them: the messages of a panic name source files, those of the
# crates by where cargo has unpacked them.
cargo fetch --quiet --locked --target "$target"
tree=$PWD
built=${CARGO_TARGET_DIR:-$tree/target}
sysroot=$(rustc --print sysroot)
hash=$(rustc -vV | sed -n 's/^commit-hash: //p')
# A static program cannot look for getrandom(2) while it runs and would read /dev/urandom instead; and the
# list of its own addresses, which it mends at its start, is half a megabyte unless it is packed (glibc 2.36).
flags=(-C target-feature=+crt-static
    --cfg 'getrandom_backend="linux_getrandom"'
    -C 'link-arg=-Wl,-z,pack-relative-relocs'
    "--remap-path-prefix=$built=/build/target"
    "--remap-path-prefix=$tree=/build"
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$hash")
mapped="-ffile-prefix-map=$tree=/build"
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    flags+=("--remap-path-prefix=$registry=/crates")
    mapped+=" -ffile-prefix-map=$registry=/crates"
done
encoded=$(
    IFS=$'\x1f'
    printf '%s' "${flags[*]}"
)
# The caller's own flags and wrappers would be in the result; a time would make the C code anew with each commit.
env -u RUSTFLAGS -u RUSTC_WRAPPER -u CARGO_BUILD_RUSTFLAGS -u SOURCE_DATE_EPOCH \
    CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$built" CARGO_ENCODED_RUSTFLAGS="$encoded" \
    CFLAGS="$mapped" DWS_OPERATOR_BUILD_REVISION="$revision" \
    cargo build --locked --profile image --target "$target" --bins
binaries=$built/$target/image

# --- what they are put into ------------------------------------------------------------------
cargo build --quiet --locked --example image
maker=$built/debug/examples/image
if [[ -n $root ]]; then
    for name in "${programs[@]}"; do
        "$maker" root --binary "$binaries/$name" --to "$root/$name"
    done
    exit 0
fi

out=$tree/target/image
mkdir -p "$out"
rm -f "$out"/{dws-operator,dws-simulator}.{tar,cdx.json}
crates=$out/.crates described=$out/.crates.cdx.json
cargo tree --locked --target "$target" --edges normal,no-proc-macro --prefix none --format '{p}' |
    sed 's/ ([^)]*)//g' | LC_ALL=C sort -u >"$crates"
# It writes beside Cargo.toml and nowhere else.
cyclonedx=$(hack/cargo-tool.sh cargo-cyclonedx 0.5.9)
SOURCE_DATE_EPOCH=$epoch "$cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --target "$target" \
    --no-build-deps
mv dws-operator.cdx.json "$described"
case $target in
    *-gnu) libc=$(getconf GNU_LIBC_VERSION) ;;
    *) libc="musl $(ldd 2>&1 | sed -n 's/^Version //p')" ;;
esac
for name in "${programs[@]}"; do
    "$maker" archive --binary "$binaries/$name" --to "$out" \
        --reference "${IMAGE_REPOSITORY:+$IMAGE_REPOSITORY/}$name:${IMAGE_TAG:-$version}" \
        --revision "$revision" --epoch "$epoch" --cyclonedx "$described" --crates "$crates" \
        --rust "$(rustc --version | cut -d ' ' -f 2)" --libc "$libc" \
        --authorities "$(sed -n '/^name = "webpki-root-certs"$/{n;s/^version = "\(.*\)"/\1/p}' Cargo.lock)"
done
rm -f "$crates" "$described"

# --- do they start? --------------------------------------------------------------------------
# With nothing around them but what the archive holds, as the user that the image names.
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
if ! unshare --map-user=65532 --map-group=65532 true 2>/dev/null; then
    echo "skipped: starting the programs in their images, since this machine gives no user namespace"
    exit 0
fi
for name in "${programs[@]}"; do
    layer=$(tar -xOf "$out/$name.tar" manifest.json | sed 's/.*"Layers":\["\([^"]*\)".*/\1/')
    mkdir "$unpacked/$name"
    tar -xOf "$out/$name.tar" "$layer" | tar -xzf - -C "$unpacked/$name"
    said=$(unshare --map-user=65532 --map-group=65532 --root="$unpacked/$name" "/$name" --version)
    [[ $said == "$name $version" ]] || die "$name in its image calls itself '$said', not '$name $version'"
done
