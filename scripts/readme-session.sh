#!/usr/bin/env bash
# The README's session with curl, as it stands there, against a server; then what it has made is looked at.
# Usage: readme-session.sh URL WORK      (WORK: a folder for what is downloaded)
set -euo pipefail
cd "$(dirname "$0")/.."
url=$1 work=$2
clip=media/bigbuckbunny.mp4

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
# The first block of commands under the heading.
session=$(sed -n '/^## A session with curl/,/^## One request/p' README.md | sed -n '/^```sh$/,/^```$/p' | sed '/^```/d')
grep -q '^curl -X POST \$W/finalize$' <<<"$session" || fail "the README has no session"
session=${session//http:\/\/127.0.0.1:8080/$url}
session=${session//\/tmp\//$work/}
# Each of its requests counts; curl itself takes a problem for a response like another.
curl() { command curl --silent --show-error --fail-with-body --noproxy '*' -w '\n' "$@"; }
export -f curl
SHELL=/bin/bash bash -euo pipefail -c "$session" >"$work/session.log" 2>&1 || {
    cat "$work/session.log" >&2
    fail "the session"
}
grep -q '"state":"closed"' "$work/session.log" || fail "the writer is closed: $(cat "$work/session.log")"

# The clip's pictures and channels, as ffprobe counts them in both.
described() { ffprobe -v error -count_packets -select_streams v -show_entries stream=codec_name,width,height,nb_read_packets -of csv=p=0 "$1"; }
sound() { ffprobe -v error -select_streams a -show_entries stream=codec_name,sample_rate,channels -of csv=p=0 "$1"; }
[ "$(described "$work/first.mp4")" = "$(described $clip)" ] || fail "pictures: $(described "$work/first.mp4"), and of the clip $(described $clip)"
[ "$(sound "$work/first.mp4")" = "$(sound $clip)" ] || fail "sound: $(sound "$work/first.mp4"), and of the clip $(sound $clip)"
echo "the README's session: $(described "$work/first.mp4") and $(sound "$work/first.mp4"), as in the clip"
