#!/usr/bin/env bash
# Shows that the images are reproducible, that the Dockerfile's are the same, and that they run.
#
#   1. `hack/image.sh` here; then again from nothing, in a clone of the last commit elsewhere, with a home of
#      cargo, a umask, a time zone and a language of its own: the same digests, the same bytes.
#   2. What the Dockerfile copies (`hack/image.sh --root`), built from what .dockerignore sends to a builder and
#      nothing else, is, file by file, what the archive holds.
#   3. What is in both archives lives together: tests/image, `life`.
#
# About twenty minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD
home=${CARGO_HOME:-$HOME/.cargo}

if [[ -n $(git status --porcelain) ]]; then
    echo "skipped: the tree differs from its last commit, so a clone gives other images; commit first" >&2
    exit 77
fi
# A caller's settings would be the same in both.
unset CARGO_TARGET_DIR SOURCE_DATE_EPOCH DWS_OPERATOR_BUILD_REVISION

mkdir -p target/figures
figure() { printf 'image: %s\n' "$*" | tee -a target/figures/image; }

begin=$SECONDS
told=$(hack/image.sh)
printf '%s\nbuilt here in %d s\n\n' "$told" $((SECONDS - begin))
printf '%s\n' "$told" | awk '/ \(/ { name = $1 } /digest/ { digest = $2 } /unpacked/ { unpacked = $2 }
    /compressed/ { printf "image: %s %s, %d bytes, %d compressed\n", name, digest, unpacked, $2 }' >>target/figures/image

again=$(mktemp -d)
trap 'chmod -R u+w "$again"; rm -rf "$again"' EXIT
clone=$again/in/quite/another/place
git clone --quiet --no-hardlinks "$here" "$clone"
mkdir -p "$again/cargo/registry"
cp -r "$home"/registry/{cache,index} "$again/cargo/registry/"
if [[ -f $home/config.toml ]]; then cp "$home/config.toml" "$again/cargo/"; fi
elsewhere() {
    (
        umask 077
        cd "$clone"
        CARGO_HOME=$again/cargo TZ=Asia/Shanghai LC_ALL=C.UTF-8 "$@"
    )
}
begin=$SECONDS
elsewhere hack/image.sh
printf 'built again in %d s\n\n' $((SECONDS - begin))

differing=0
for file in {dws-operator,dws-simulator}.{tar,cdx.json}; do
    one=$(sha256sum <"target/image/$file") two=$(sha256sum <"$clone/target/image/$file")
    printf '%-22s %s\n%-22s %s\n' "$file" "${one%% *}" '' "${two%% *}"
    if [[ $one != "$two" ]]; then
        differing=$((differing + 1))
        cp "$clone/target/image/$file" "target/image/$file.other"
    fi
done
if ((differing > 0)); then
    echo "$differing of 4 files differ between the two builds: target/image/*.other are the second one's" >&2
    exit 1
fi
figure "4 files of two builds in two places are the same, byte by byte"

# The clone becomes what a builder is sent; only what was compiled stays, and a source that is missing now shows.
if grep -vqE '^(#.*|\*|!.*)?$' .dockerignore || ! grep -qx '\*' .dockerignore; then
    echo ".dockerignore: this reads '*' and lines with '!' only" >&2
    exit 1
fi
mapfile -t sent < <(sed -n 's/^!//p' .dockerignore)
find "$clone" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git archive HEAD "${sent[@]}" | tar -x -C "$clone"
revision=$(git rev-parse HEAD)
elsewhere env SOURCE_DATE_EPOCH=0 DWS_OPERATOR_BUILD_REVISION="$revision" hack/image.sh --root "$again/copied"
compared=0
for program in dws-operator dws-simulator; do
    layer=$(tar -xOf "target/image/$program.tar" manifest.json | sed 's/.*"Layers":\["\([^"]*\)".*/\1/')
    mkdir -p "$again/held/$program"
    tar -xOf "target/image/$program.tar" "$layer" | tar -xzf - -C "$again/held/$program"
    diff -r "$again/held/$program" "$again/copied/$program"
    diff <(cd "$again/held/$program" && find . -printf '%p %m %y\n' | LC_ALL=C sort | tail -n +2) \
        <(cd "$again/copied/$program" && find . -printf '%p %m %y\n' | LC_ALL=C sort | tail -n +2)
    compared=$((compared + $(find "$again/held/$program" -type f | wc -l)))
done
figure "$compared files that the Dockerfile copies are those of the archives, with their modes"

cargo test --locked --test image -- --ignored
