#!/usr/bin/env bash
# Runs a command in a minimal root of a Debian release, with this machine's Swift toolchain and a copy of this
# checkout. The root and what was built in it stay for the next time.
# Usage: in-debian.sh {bookworm|trixie|other} command…     (as root; PENSTOCK_ROOTS: where roots lie)
# `other` is trixie (Debian 13), and on trixie bookworm (Debian 12).
# The exit code is the command's; 75 (EX_TEMPFAIL) where there is no root to run it in: no network, no right to mount.
set -euo pipefail
cd "$(dirname "$0")/.."
release=${1:?usage: in-debian.sh RELEASE command…}
shift
if [ "$release" = other ]; then
    release=trixie
    if grep -qx 'VERSION_CODENAME=trixie' /etc/os-release; then release=bookworm; fi
fi
checkout=$PWD
root=${PENSTOCK_ROOTS:-/var/cache/penstock-roots}/$release
copy=/src/penstock

no_root() { # why
    echo "$1" >&2
    echo "Nothing was run on $release." >&2
    exit 75
}

if [ "$(id -u)" -ne 0 ]; then no_root "in-debian.sh needs root: it makes a root file system and enters it"; fi
if ! unshare --mount mount --make-rprivate /; then no_root "This machine, or the container that this is, does not let root mount anything."; fi
# Asked of it, as what is on PATH may be a script that starts it.
toolchain=$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": *"\(.*\)/usr/lib/swift".*|\1|p')
if [ -z "$toolchain" ]; then
    no_root "The Swift toolchain is in /usr, where it can't be shown to another root. Unpack one elsewhere, as in /opt/swift."
fi

mkdir -p "$(dirname "$root")"
# One run in a root at a time; the lock ends with the command.
exec 9>"$root.lock"
if ! flock -n 9; then
    echo "Waiting for another run in $root" >&2
    flock 9
fi

make_root() {
    # The keyring has the keys of the releases after this one as well.
    if ! command -v mmdebstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        apt-get update -q && apt-get install -q -y --no-install-recommends mmdebstrap debian-archive-keyring || return
    fi
    rm -rf "$root"
    timeout --kill-after 10 1200 mmdebstrap --variant=minbase \
        --include=ca-certificates,git,g++,make,tzdata,libncurses6,libsqlite3-0,libxml2,libcurl4 "$release" "$root"
}

if [ ! -e "$root/.complete" ]; then
    echo "Making a root of $release in $root"
    if ! make_root >"$root.log" 2>&1; then
        tail -20 "$root.log" >&2
        no_root "No root of $release could be made. The whole log: $root.log"
    fi
    touch "$root/.complete"
fi

# What git would commit, and nothing that was built here. Files that have not changed keep their times.
mkdir -p "$root$copy"
git ls-files -z --cached --others --exclude-standard | sort -z >"$root/.files"
if [ -e "$root/.files.before" ]; then
    comm -z -13 "$root/.files" "$root/.files.before" | (cd "$root$copy" && xargs -0r rm -f)
fi
while IFS= read -r -d '' file; do
    if [ -e "$file" ] && ! cmp -s "$file" "$root$copy/$file"; then
        mkdir -p "$root$copy/$(dirname "$file")"
        cp -dp --remove-destination "$file" "$root$copy/$file"
    fi
done <"$root/.files"
mv "$root/.files" "$root/.files.before"

# The mounts go with the namespace.
export root toolchain checkout copy release
exec unshare --mount bash -Eeuo pipefail -c '
    trap '"'"'echo "The root of $release can not be entered. Nothing was run there." >&2; exit 75'"'"' ERR
    mount --make-rprivate /
    show() { # what of this machine'"'"'s, at the same place
        if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root$(dirname "$1")"; touch "$root$1"; fi
        mount --rbind "$1" "$root$1"
    }
    show "$toolchain"
    for place in /proc /sys /dev; do show "$place"; done
    for place in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
        if [ -e "$place" ]; then show "$(readlink -f "$place")"; fi
    done
    for cache in "$HOME/.cache/org.swift.swiftpm" "$HOME/.swiftpm"; do
        if [ -d "$cache" ]; then show "$cache"; fi
    done
    mount -t tmpfs tmpfs "$root/tmp"
    exec chroot "$root" /usr/bin/env -i HOME="$HOME" LANG=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive \
        PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$toolchain/usr/bin" \
        bash -c "cd $copy && exec \"\$@\"" - "$@"
' - "$@"
