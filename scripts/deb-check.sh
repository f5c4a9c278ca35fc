#!/usr/bin/env bash
# Installs, uses, upgrades, removes and purges the package in a minimal root of its release, with systemd running.
# Usage: deb-check.sh PACKAGE.deb…      (as root; PENSTOCK_ROOTS: where roots are kept)
set -euo pipefail
cd "$(dirname "$0")/.."
roots=${PENSTOCK_ROOTS:-/var/cache/penstock-roots}
url=http://127.0.0.1:8080
state=/var/lib/penstock
work=
machine=

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "FAILED: $*" >&2
    if [ -n "$machine" ]; then inside journalctl --no-pager -u penstock -n 20 >&2 || true; fi
    exit 1
}
stop_machine() {
    if [ -z "$machine" ]; then return; fi
    kill "$machine" 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
    machine=
}
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$?
    stop_machine
    if [ -n "$work" ]; then rm -rf "$work"; fi
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

environment=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
# prepared COMMAND…: in the root while nothing runs there, with this machine's network.
prepared() { unshare --mount --pid --fork --kill-child bash -c 'mount --make-rprivate / && mount -t proc proc "$1/proc" && exec chroot "$@"' - "$root" "${environment[@]}" "$@"; }
# inside COMMAND…: on the machine that runs, which has no network but its own.
inside() { nsenter --target "$init" --all -- "${environment[@]}" "$@"; }
# beside COMMAND…: this machine's programs in its network.
beside() { nsenter --target "$init" --net -- "$@"; }
call() { beside curl --silent --show-error --fail-with-body --noproxy '*' "$@"; }
# await SECONDS WHAT COMMAND…: until the command succeeds.
await() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "not in time: $what"
        sleep 0.2
    done
}
main_process() { inside systemctl show -P MainPID penstock; }
installed() { inside dpkg-query -W -f '${Version}' penstock; }

# "degraded": this kernel has no modules to load.
is_up() { [[ $(inside systemctl is-system-running || true) =~ ^(running|degraded)$ ]]; }

boot() {
    scripts/boot-debian.sh "$root" >"$work/boot.log" 2>&1 &
    machine=$!
    await 10 "a first process" eval 'init=$(pgrep -P "$(pgrep -P "$machine")") && [ "$(cat "/proc/$init/comm")" = systemd ]'
    await 60 "systemd is up" is_up
}

# clean_root RELEASE: unpacked from an archive that is kept.
clean_root() {
    local archive=$roots/systemd-$1.tar
    if [ ! -e "$archive" ]; then
        mkdir -p "$roots"
        mmdebstrap --quiet --variant=minbase --include=ca-certificates,systemd-sysv "$1" "$archive.new.tar"
        mv "$archive.new.tar" "$archive"
    fi
    root=$work/root
    mkdir "$root"
    tar -C "$root" -xf "$archive"
    # It need not outlive a power cut.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/check"
    if [ -e /etc/resolv.conf ]; then cp --remove-destination "$(readlink -f /etc/resolv.conf)" "$root/etc/resolv.conf"; fi
}

# higher PACKAGE: the same with a higher version.
higher() {
    dpkg-deb -R "$1" "$work/higher"
    sed -i -E 's/^Version: (.*)-/Version: \1+next-/' "$work/higher/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/higher" "$root/root/higher.deb" >/dev/null
    rm -rf "$work/higher"
}

check_install() {
    step "Install, where no systemd runs"
    prepared apt-get update -q >"$work/apt.log" 2>&1 || fail "apt-get update: $(tail -n 5 "$work/apt.log")"
    prepared apt-get install -q -y --no-install-recommends /root/penstock.deb >"$work/apt.log" 2>&1 || fail "apt-get install: $(tail -n 20 "$work/apt.log")"
    echo "$(grep -oE '[0-9]+ newly installed' "$work/apt.log"), $(grep -oE 'After this operation, .*' "$work/apt.log")"
    prepared penstock --version
    local missing
    missing=$(prepared ldd /usr/bin/penstock /usr/bin/penstock-encoder | grep 'not found' || true)
    [ -z "$missing" ] || fail "$missing"
    prepared bash -n /usr/share/bash-completion/completions/penstock
    prepared apt-get purge -q -y penstock >"$work/apt.log" 2>&1 || fail "apt-get purge: $(tail -n 20 "$work/apt.log")"
    [ ! -e "$root/etc/penstock" ] && [ ! -e "$root$state" ] || fail "a purge of what never ran leaves nothing"

    step "Install, where systemd runs"
    boot
    inside apt-get install -q -y --no-install-recommends /root/penstock.deb >"$work/apt.log" 2>&1 || fail "apt-get install: $(tail -n 20 "$work/apt.log")"
    inside systemd-analyze verify --man=no penstock.service || fail "the unit"
    [ "$(inside systemctl is-enabled penstock)" = enabled ] || fail "the unit is enabled"
    await 20 "the server is ready" call "$url/readyz"
    local process
    process=$(main_process)
    echo "$(inside ps -o user=,args= -p "$process" 2>/dev/null || inside stat -c '%U' "/proc/$process"), $(inside stat -c '%U:%G %a %n' $state/output /etc/penstock/penstock.yaml | paste -sd ,)"
    [ "$(inside stat -c %U "/proc/$process")" = penstock ] || fail "the server's user"
    call "$url/readyz"
    echo
}

check_use() {
    step "The README's session"
    mkdir "$work/session"
    beside scripts/readme-session.sh "$url" "$work/session"
    local process
    process=$(main_process)
    if [ "$(inside systemctl show -P CanReload penstock)" = yes ]; then inside systemctl reload penstock || fail "a reload"; fi
    call -o "$work/response" "$url/readyz" && [ "$(main_process)" = "$process" ] || fail "it serves after a reload"
}

check_upgrade() {
    step "Upgrade, with writers open and the configuration changed"
    inside sed -i '1i # Of the administrator.' /etc/penstock/penstock.yaml
    local description='{"dst": "ID.wav", "streams": [{"type": "audio", "sample_rate": 48000, "num_channels": 1, "format": "s16", "encoder": "pcm_s16le"}], "open": true}'
    local id before process
    for id in one two; do
        call -o "$work/response" -X PUT -d "${description/ID/$id}" "$url/v1/writers/$id" || fail "a writer: $(cat "$work/response")"
        head -c 96000 /dev/urandom >"$work/$id.raw"
        call -o "$work/response" -X POST --data-binary "@$work/$id.raw" "$url/v1/writers/$id/streams/0/chunks" || fail "a chunk: $(cat "$work/response")"
    done
    before=$(installed) process=$(main_process)
    inside apt-get install -q -y --no-install-recommends /root/higher.deb >"$work/apt.log" 2>&1 || fail "apt-get install: $(tail -n 20 "$work/apt.log")"
    await 20 "the server is ready again" call "$url/readyz"
    [ "$(main_process)" != "$process" ] || fail "another process serves"
    inside journalctl --no-pager -u penstock >"$work/journal"
    # systemd may kill encoders that have written their records and are about to exit: KillMode=mixed.
    if grep -qE 'Failed with result|Main process exited|State .stop-sigterm. timed out' "$work/journal"; then fail "the old server ends well: $(cat "$work/journal")"; fi
    call -o "$work/list" "$url/v1/writers"
    for id in one two; do
        call "$url/v1/writers/$id" | grep -qE '"state" ?: ?"closed"' || fail "writer $id is closed"
        grep -q "\"$id\"" "$work/list" || fail "writer $id is listed: $(cat "$work/list")"
        ffmpeg -v error -i "$root$state/output/$id.wav" -f s16le - | cmp - "$work/$id.raw" || fail "$id.wav is what was sent"
    done
    grep -q '^# Of the administrator' "$root/etc/penstock/penstock.yaml" || fail "the configuration is the administrator's"
    echo "$before -> $(installed): both writers closed and listed, their files whole; the configuration is as it was"
}

check_removal() {
    step "Remove"
    inside apt-get remove -q -y penstock >"$work/apt.log" 2>&1 || fail "apt-get remove: $(tail -n 20 "$work/apt.log")"
    if call --max-time 2 "$url/livez" 2>/dev/null; then fail "the server has ended"; fi
    for place in usr/bin/penstock usr/bin/penstock-encoder; do [ ! -e "$root/$place" ] || fail "/$place is gone"; done
    for place in etc/penstock/penstock.yaml var/lib/penstock/state var/lib/penstock/output/one.wav; do
        [ -e "$root/$place" ] || fail "/$place stays"
    done
    echo "programs gone; configuration, state and outputs stay"

    step "Purge"
    echo secret >"$root/etc/penstock/tokens"
    inside apt-get purge -q -y penstock >"$work/apt.log" 2>&1 || fail "apt-get purge: $(tail -n 20 "$work/apt.log")"
    grep '^penstock: ' "$work/apt.log" || fail "a word about the outputs"
    [ ! -e "$root/etc/penstock" ] && [ ! -e "$root/etc/default/penstock" ] && [ ! -e "$root$state/state" ] || fail "configuration and state are gone"
    ls -ln "$root$state/output"
    [ "$(find "$root$state/output" -name '*.wav' | wc -l)" = 2 ] || fail "outputs stay"
}

[ $# -gt 0 ] || { echo "usage: deb-check.sh PACKAGE.deb…" >&2; exit 2; }
for package in "$@"; do
    case $package in
    *~deb12*) release=bookworm ;;
    *~deb13*) release=trixie ;;
    *) fail "$package is of no release that is known here" ;;
    esac
    printf '\n==== %s, in a minimal root of %s\n' "${package##*/}" "$release"
    began=$SECONDS
    work=$(mktemp -d /var/tmp/penstock-deb.XXXXXX)
    clean_root "$release"
    cp "$package" "$root/root/penstock.deb"
    higher "$package"
    check_install
    check_use
    check_upgrade
    check_removal
    stop_machine
    rm -rf "$work"
    work=
    echo "all as it should be, in $((SECONDS - began)) s"
done
