#!/usr/bin/env bash
# Runs an image as `docker run --read-only --cap-drop ALL --security-opt no-new-privileges` would, by crun: the README's
# session, SIGTERM under load, a start with the same volumes.
# Usage: image-session.sh WORK ROOT      (by image-check.sh: WORK/image.json and the mounted image)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$1 root=$2
name=penstock-check-$$ grace=3
url=http://127.0.0.1:8080

step() { printf '\n== %s\n' "$*"; }
fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$work/log" >&2
    exit 1
}
# crun takes no hybrid of both versions of cgroups; it needs none here.
runtime() {
    unshare --mount bash -c 'mount --make-rprivate / && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' - \
        crun --root "$work/crun" --cgroup-manager=disabled "$@"
}
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$?
    runtime delete --force "$name" 2>/dev/null || true
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# within COMMAND…: in the container's network, with this machine's programs.
within() { nsenter --target "$(cat "$work/pid")" --net -- "$@"; }
call() { within curl --silent --show-error --fail-with-body --noproxy '*' "$@"; }
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(cat "$work/pid")/status"; }

# New volumes get what the image has in their place, with its owner.
mkdir -p "$work"/{bundle,volumes,downloads}
for place in $(python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["Volumes"])' "$work/image.json"); do
    cp -a "$root$place" "$work/volumes/"
done
python3 scripts/container-bundle.py "$work/image.json" /usr/share/containers/seccomp.json "$root" "$work/volumes" \
    PENSTOCK_NO_AUTH=1 PENSTOCK_REQUIRE_SANDBOX=1 PENSTOCK_SHUTDOWN_GRACE=$grace >"$work/bundle/config.json"
mapfile -t healthcheck < <(python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["Healthcheck"]["Test"][1:], sep="\n")' "$work/image.json")

# start: a container, until its HEALTHCHECK is content.
start() {
    rm -f "$work/pid"
    runtime run --bundle "$work/bundle" --pid-file "$work/pid" "$name" >>"$work/log" 2>&1 &
    container=$!
    local until=$((SECONDS + 20))
    until [ -s "$work/pid" ] && runtime exec "$name" "${healthcheck[@]}" 2>/dev/null; do
        kill -0 "$container" 2>/dev/null || fail "the container has ended"
        [ "$SECONDS" -lt "$until" ] || fail "${healthcheck[*]} is not content"
        sleep 0.1
    done
}

step "As its user, read-only, without capabilities"
: >"$work/log"
start
echo "HEALTHCHECK ${healthcheck[*]}: exit 0"
echo "user $(status Uid | cut -f 1), capabilities $(status CapEff) of $(status CapBnd), NoNewPrivs $(status NoNewPrivs), Seccomp $(status Seccomp)"
[ "$(status Uid | cut -f 1)" = 10001 ] && [ "$(status CapBnd)" = 0000000000000000 ] && [ "$(status NoNewPrivs)" = 1 ] || fail "the container's process"
for place in / /usr/local/bin /var/lib/penstock; do
    if runtime exec "$name" touch "$place/file" 2>/dev/null; then fail "$place can be written to"; fi
done
call "$url/readyz"
echo
call "$url/v1/version" | grep -oE '"(ffmpeg|libav[a-z]+)" ?: ?"[^"]*"' | tr -d '"' | paste -sd ';'

step "The README's session"
within scripts/readme-session.sh "$url" "$work/downloads"

step "SIGTERM under load"
# Pictures that come slower than they are encoded, for longer than this takes.
description='{"dst": "load-ID.mp4", "streams": [{"type": "video", "frame_rate": 25, "width": 320, "height": 240}], "open": true}'
for id in 1 2 3 4 5 6; do
    call -o "$work/created" -X PUT -d "${description/ID/$id}" "$url/v1/writers/load-$id" || fail "a writer: $(cat "$work/created")"
    call -o /dev/null --limit-rate 3M -X POST -T /dev/zero "$url/v1/writers/load-$id/streams/0/chunks" 2>/dev/null &
done
frames() { grep -oE '"frames" ?: ?[0-9]+' "$1" | head -n 1 | grep -oE '[0-9]+$'; }
# All are taking pictures when the signal comes.
until=$((SECONDS + 30))
for id in 1 2 3 4 5 6; do
    until call -o "$work/writer" "$url/v1/writers/load-$id" && [ "$(frames "$work/writer")" -ge 10 ]; do
        [ "$SECONDS" -lt "$until" ] || fail "writer $id takes pictures"
        sleep 0.1
    done
    frames "$work/writer" >"$work/before-$id"
done
began=$(date +%s%N)
runtime kill "$name" TERM
code=0
wait "$container" || code=$?
took=$((($(date +%s%N) - began) / 1000000))
echo "exit $code after $took ms; --shutdown-grace is $grace s"
[ "$code" = 0 ] && [ "$took" -lt $(((grace + 10) * 1000)) ] || fail "the end"

start
for id in 1 2 3 4 5 6; do
    call -o "$work/writer" "$url/v1/writers/load-$id" || fail "writer $id is known after a restart"
    grep -qE '"state" ?: ?"closed"' "$work/writer" || fail "writer $id is closed: $(cat "$work/writer")"
    file=$work/volumes/output/load-$id.mp4
    packets=$(ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$file") || fail "$file is whole"
    [ "$packets" = "$(frames "$work/writer")" ] && [ "$packets" -ge "$(cat "$work/before-$id")" ] ||
        fail "writer $id: $packets pictures in the file, $(frames "$work/writer") taken, $(cat "$work/before-$id") before the signal"
    printf 'load-%s.mp4: closed, all %s pictures that were taken\n' "$id" "$packets"
done
runtime kill "$name" TERM
wait "$container" || fail "the second end: $?"
