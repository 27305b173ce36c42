# shellcheck shell=bash
# Sourced by node-up.sh: images for the node's own Pods, each one static binary from scratch, as
# archives that `ctr images import` reads. Made once, into the cache.

pause_image=localhost/pause:1
# shellcheck disable=SC2034 # read by node-up.sh
dns_image=localhost/coredns:1

image_archive() { # <output> <name:tag> <binary>
    local work layer config
    work=$(mktemp -d)
    mkdir "$work/root"
    cp "$3" "$work/root/$(basename "$3")"
    chmod 0755 "$work/root/$(basename "$3")"
    tar -C "$work/root" --owner=0 --group=0 -cf "$work/layer.tar" .
    layer=$(sha256 <"$work/layer.tar" | cut -c1-64)
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/%s"],"User":"65532:65532"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$(platform | cut -d- -f2)" "$(basename "$3")" "$layer" >"$work/config.json"
    config=$(sha256 <"$work/config.json" | cut -c1-64)
    mv "$work/config.json" "$work/$config.json"
    printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$2" >"$work/manifest.json"
    tar -C "$work" -cf "$1.partial" manifest.json "$config.json" layer.tar
    mv "$1.partial" "$1"
    rm -rf "$work"
}

# Sets node_images to the directory that holds both.
make_images() { # <coredns>
    local source=$here/node/pause hash work
    hash=$({ cat "$source"/{go.mod,main.go} "$here/node/images.sh" && echo "$1"; } | sha256 | cut -c1-12)
    node_images=$cache/node-images/$hash
    if [[ -f $node_images/coredns.tar ]]; then return; fi
    mkdir -p "$node_images"
    work=$(mktemp -d)
    (cd "$source" && unset GOFLAGS GOOS GOARCH GOWORK &&
        CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$work/pause" .) >&2 || die "pause cannot be built"
    image_archive "$node_images/pause.tar" "$pause_image" "$work/pause"
    image_archive "$node_images/coredns.tar" "$dns_image" "$1"
    rm -rf "$work"
}
