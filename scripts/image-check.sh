#!/usr/bin/env bash
# Builds the Dockerfile without a Docker engine and without a registry: its base images are made from minimal Debian
# roots under the names that it asks for. Then runs the image as compose.yaml does: a session, SIGTERM under load.
# Usage: image-check.sh      (as root; PENSTOCK_ROOTS: where roots are kept; some 15 GB under /var/tmp meanwhile)
set -euo pipefail
cd "$(dirname "$0")/.."
roots=${PENSTOCK_ROOTS:-/var/cache/penstock-roots}
work=$(mktemp -d /var/tmp/penstock-image.XXXXXX)
# apt's own user reads what mmdebstrap makes in it.
chmod 755 "$work"
export TMPDIR=$work
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$?
    build umount --all >/dev/null 2>&1 || true
    umount -R "$work"/storage/overlay 2>/dev/null || true
    cd /
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Overlays where the kernel mounts them: with vfs every layer is a copy of the whole.
mkdir -p "$work"/{storage,run,try/{lower,upper,work,merged}}
driver=vfs
if mount -t overlay overlay -o "lowerdir=$work/try/lower,upperdir=$work/try/upper,workdir=$work/try/work" "$work/try/merged" 2>/dev/null; then
    umount "$work/try/merged"
    driver=overlay
fi
echo 'unqualified-search-registries = ["docker.io"]' >"$work/registries.conf"
build() { CONTAINERS_REGISTRIES_CONF=$work/registries.conf buildah --root "$work/storage" --runroot "$work/run" --storage-driver "$driver" "$@"; }

# base_root RELEASE: a minimal root of it as an archive, without what Debian's slim images leave out.
base_root() {
    local archive=$roots/base-$1.tar
    if [ ! -e "$archive" ]; then
        mkdir -p "$roots"
        echo "Making a root of $1 in $archive" >&2
        mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
            --dpkgopt='path-exclude=/usr/share/lintian/*' "$1" "$archive.new.tar" >&2
        mv "$archive.new.tar" "$archive"
    fi
    echo "$archive"
}

step "Base images"
version=$(sed -nE 's/^ARG SWIFT_VERSION=//p' Dockerfile)
toolchain=$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": *"\(.*\)/usr/lib/swift".*|\1|p')
case $(swift --version 2>/dev/null) in
*"Swift version $version"*) ;;
*) fail "the Dockerfile asks for Swift $version, and this machine has: $(swift --version 2>/dev/null | head -n 1)" ;;
esac
for name in $(sed -nE "s/^FROM ([^ ]+).*/\1/p" Dockerfile); do
    name=${name/'${SWIFT_VERSION}'/$version}
    release=$(grep -oE 'bookworm|trixie' <<<"$name") || fail "no Debian release in the name $name"
    archive=$(base_root "$release")
    image=$(build from scratch)
    build add --quiet "$image" "$archive" / >/dev/null
    case $name in swift:*) build add --quiet "$image" "$toolchain/usr" /usr >/dev/null ;; esac
    build commit --quiet --rm "$image" "docker.io/library/$name" >/dev/null
    echo "$name: Debian $release$(case $name in swift:*) echo ", Swift $version of $toolchain" ;; esac)"
done

step "The Dockerfile"
# What this machine's git has instead of GitHub, and the certificates it trusts.
volumes=()
for mirror in $(git config --get-regexp '^url\..*\.insteadof$' | sed -nE 's|^url\.(/[^ ]*)\.insteadof .*|\1|p' | sort -u); do volumes+=(--volume "$mirror:$mirror:ro"); done
if [ -e /etc/gitconfig ]; then volumes+=(--volume /etc/gitconfig:/etc/gitconfig:ro); fi
began=$SECONDS
build bud --pull-never --format docker --layers=false --isolation chroot "${volumes[@]}" --tag penstock . >"$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log" >&2
    fail "the image is not built"
}
echo "built in $((SECONDS - began)) s"

step "Size"
image=$(build from --pull-never penstock)
root=$(build mount "$image")
megabytes=$(du -s --apparent-size --block-size=1000000 "$root" | cut -f 1)
packages() { dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Installed-Size} ${Package}\n' | sort -rn; }
echo "$megabytes MB uncompressed, $(packages | wc -l) packages"
if [ "$megabytes" -gt 400 ]; then
    echo "over 400 MB; the largest packages, by what they take with documentation and translations:"
    packages | awk 'NR <= 20 { printf "  %4d MB  %s\n", $1 * 1024 / 1000000, $2 }'
    # What libavdevice's OpenGL and SDL ask for, and nothing here runs: drivers for screens.
    packages | awk '/ (libllvm|libz3|mesa-|libgl1-mesa)/ { sum += $1 } END { printf "  %4d MB  of all are Mesa'"'"'s drivers and the LLVM that they need\n", sum * 1024 / 1000000 }'
fi

build inspect --type image penstock | python3 -c 'import json, sys; json.dump(json.load(sys.stdin)["Docker"]["config"], sys.stdout)' >"$work/image.json"
scripts/image-session.sh "$work" "$root"
