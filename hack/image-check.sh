#!/usr/bin/env bash
# Shows that the images are reproducible and that they run.
#
#   1. `hack/image.sh` here; then again from nothing, in a clone of the last commit elsewhere, with a home of
#      cargo, a umask, a time zone and a language of its own: the same digests, the same bytes.
#   2. What is in both archives lives together: tests/image, `life`.
#
# About fifteen minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD

if [[ -n $(git status --porcelain) ]]; then
    echo "skipped: the tree differs from its last commit, so a clone gives other images; commit first" >&2
    exit 77
fi

begin=$SECONDS
hack/image.sh
printf 'built here in %d s\n\n' $((SECONDS - begin))

again=$(mktemp -d)
trap 'chmod -R u+w "$again"; rm -rf "$again"' EXIT
clone=$again/in/quite/another/place
git clone --quiet --no-hardlinks "$here" "$clone"
mkdir -p "$again/cargo/registry"
for part in cache index; do
    cp -r "${CARGO_HOME:-$HOME/.cargo}/registry/$part" "$again/cargo/registry/"
done
if [[ -f ${CARGO_HOME:-$HOME/.cargo}/config.toml ]]; then
    cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$again/cargo/"
fi
begin=$SECONDS
(
    umask 077
    cd "$clone"
    env -u CARGO_TARGET_DIR -u SOURCE_DATE_EPOCH CARGO_HOME="$again/cargo" TZ=Asia/Shanghai LC_ALL=C.UTF-8 \
        hack/image.sh
)
printf 'built in %s in %d s\n\n' "$clone" $((SECONDS - begin))

differing=0
for file in dws-operator.tar dws-simulator.tar dws-operator.cdx.json dws-simulator.cdx.json; do
    one=$(sha256sum <target/image/$file) two=$(sha256sum <"$clone/target/image/$file")
    printf '%-22s %s\n%-22s %s\n' "$file" "${one%% *}" '' "${two%% *}"
    if [[ $one != "$two" ]]; then
        differing=$((differing + 1))
        cp "$clone/target/image/$file" "target/image/$file.other"
    fi
done
mkdir -p target/figures
if ((differing > 0)); then
    echo "$differing of 4 files differ between the two builds: target/image/*.other are the second one's" >&2
    exit 1
fi
echo "image: 4 files of two builds in two places are the same, byte by byte" | tee -a target/figures/image

cargo test --locked --test image -- --ignored
