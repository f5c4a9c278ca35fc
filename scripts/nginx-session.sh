#!/usr/bin/env bash
# A server behind nginx with deploy/nginx/penstock.conf as it stands, and uploads through it.
# Usage: nginx-session.sh BINARIES WORK      (by deploy-check.sh, in a network namespace of its own)
set -euo pipefail
binaries=$1 work=$2
url=https://media.example.com
ip link set lo up
mount --make-rprivate /
mkdir -p "$work/nginx"
# The file's own paths: the certificate of deploy-check.sh lies where it says.
sed "s#/etc/nginx/penstock.pem#$work/penstock.pem#" deploy/nginx/penstock.conf >"$work/nginx/penstock.conf"
cat >"$work/nginx/nginx.conf" <<CONF
user root;
pid $work/nginx/pid;
error_log $work/nginx/error.log warn;
events {}
http {
    access_log off;
    client_body_temp_path $work/nginx/bodies;
    proxy_temp_path $work/nginx/responses;
    include $work/nginx/penstock.conf;
}
CONF
nginx -v
nginx -q -t -c "$work/nginx/nginx.conf"
nginx -c "$work/nginx/nginx.conf"
"$binaries/penstock" serve --no-access-log --output-dir "$work/output" --state-dir "$work/state" 2>"$work/log" &
server=$!

fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$work/log" "$work/nginx/error.log" >&2
    exit 1
}
call() { curl -sS --insecure --resolve media.example.com:443:127.0.0.1 --resolve media.example.com:80:127.0.0.1 "$@"; }
# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || fail "not in time: $what"
        sleep 0.05
    done
}
ready() { call --fail -o "$work/ready" "$url/readyz" 2>/dev/null; }
frames() { call "$url/v1/writers/large" | grep -oE '"frames" ?: ?[0-9]+' | head -n 1 | grep -oE '[0-9]+$'; }
has_half() { [ "$(frames)" -ge $((half - 16)) ]; }

await 20 "the server is ready" ready
[ "$(call -o /dev/null -w '%{http_code} %{redirect_url}' http://media.example.com/v1/version)" = "308 $url/v1/version" ] || fail "HTTP is sent on to HTTPS"

half=100 bytes=$((1920 * 1080))
description='{"format": "null", "streams": [{"type": "video", "frame_rate": 25, "width": 1920, "height": 1080, "format": "gray8", "encoder": "rawvideo"}], "open": true}'
for version in --http1.1 --http2; do
    call --fail -o /dev/null -X PUT -d "$description" "$url/v1/writers/large" || fail "a writer is made"
    # The second half is sent when the first is with the encoder: nothing waits for a body's end.
    receipt=$({ head -c $((half * bytes)) /dev/zero && await 20 "the first half is with the encoder" has_half && head -c $((half * bytes)) /dev/zero; } |
        call $version -w ' over HTTP/%{http_version}, %{speed_upload} bytes/s\n' -X POST -T - "$url/v1/writers/large/streams/0/chunks")
    grep -qE "\"frames\" ?: ?$((2 * half))\b" <<<"$receipt" || fail "$version: $receipt"
    echo "$((2 * half * bytes / 1000000)) MB${receipt##*\}}"
    call --fail -o /dev/null -X DELETE "$url/v1/writers/large" || fail "the writer goes"
done

# An output is followed while it is written.
call --fail -o /dev/null -X PUT -d '{"format": "adts", "streams": [{"type": "audio", "sample_rate": 48000, "num_channels": 2, "format": "s16"}], "open": true}' "$url/v1/writers/radio"
call -N -o "$work/radio.aac" "$url/v1/writers/radio/output" &
reader=$!
head -c 1920000 /dev/urandom | call --fail -o /dev/null -X POST -T - "$url/v1/writers/radio/streams/0/chunks" || fail "audio is taken"
await 20 "a live output comes through" test -s "$work/radio.aac"
call --fail -o /dev/null -X POST "$url/v1/writers/radio/finalize" || fail "finalize"
wait "$reader" || fail "the output ends well"
call --fail -o "$work/whole.aac" "$url/v1/writers/radio/output"
cmp "$work/radio.aac" "$work/whole.aac" || fail "the followed output is the whole one"

# What is refused before a body is read comes back as it is, and nothing was kept in a file.
code=$(head -c 50000001 /dev/zero | call -o "$work/problem" -w '%{http_code}' -X POST -H 'Content-Length: 50000001' --data-binary @- "$url/v1/writers/none/streams/0/chunks")
[ "$code" = 404 ] && grep -q writer-not-found "$work/problem" || fail "a refusal: $code"
[ -z "$(find "$work/nginx/bodies" "$work/nginx/responses" -type f)" ] || fail "nginx has kept bodies in files"
[ ! -s "$work/nginx/error.log" ] || { echo "nginx said:"; cat "$work/nginx/error.log"; }
kill -TERM "$server"
wait "$server" || fail "the server ends well"
nginx -c "$work/nginx/nginx.conf" -s quit
echo "all as it should be"
